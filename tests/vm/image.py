"""The virtual machines' disk, made from Debian's packages once and kept by the digest of its recipe."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from oz_installer.lab.docker import run
from oz_installer.lab.images import MIRROR, locked
from oz_installer.lab.options import Say, home

SUITE = "trixie"
DISK_SIZE = "4G"
_BUILD_SECONDS = 3600
# proc and dev for the packages' own scripts; all of it is gone with the last of these processes.
_INSIDE = (
    'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && cp -L /etc/resolv.conf "$1/etc/" && '
    'SUITE="$2" exec chroot "$1" bash -s'
)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A raw disk with one ext4 file system and no boot loader, and the kernel that boots it."""

    disk: Path
    kernel: Path
    initrd: Path


def recipe() -> str:
    """The script that turns a bare Debian into the machine; its beginning is the lab nodes' own."""
    common = resources.files("oz_installer.lab") / "recipes" / "common.sh"
    return common.read_text() + Path(__file__).with_name("recipe.sh").read_text()


def ensure_image(say: Say) -> Image:
    """Build the image unless it is there. Needs root, debootstrap and mke2fs."""
    digest = hashlib.sha256(f"{SUITE}\n{DISK_SIZE}\n{recipe()}".encode()).hexdigest()[:12]
    cache = home() / "cache" / "vm"
    folder = cache / digest
    with locked("vm-image"):
        if not folder.is_dir():
            say(f"Building a virtual machine from Debian {SUITE}'s packages (some minutes, once) ...")
            began = time.monotonic()
            cache.mkdir(parents=True, exist_ok=True)
            for old in cache.iterdir():  # of older recipes, and of builds that were killed
                shutil.rmtree(old)
            _build(folder)
            say(f"Built {folder} in {time.monotonic() - began:.0f} s.")
    return Image(disk=folder / "disk.raw", kernel=folder / "vmlinuz", initrd=folder / "initrd.img")


def _build(folder: Path) -> None:
    """All in a folder beside it, which takes its name when it is whole."""
    work = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
    root, made = work / "root", work / "made"
    try:
        made.mkdir()
        include = "--include=ca-certificates"
        run(["debootstrap", "--variant=minbase", include, SUITE, root, MIRROR], timeout=_BUILD_SECONDS)
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _INSIDE, "sh"]
        run([*apart, str(root), SUITE], text=recipe(), timeout=_BUILD_SECONDS)
        for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd.img", "initrd.img-*")):
            (kernel,) = (root / "boot").glob(pattern)
            shutil.move(kernel, made / name)
        disk = made / "disk.raw"
        form = ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(root)]
        run([*form, disk, DISK_SIZE], timeout=_BUILD_SECONDS)
        made.rename(folder)
    finally:
        shutil.rmtree(work)
