"""Base images, built once from Debian packages and tagged with the digest of their recipe."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Literal

from oz_installer.lab.docker import docker, inspect, run
from oz_installer.lab.options import LABEL, Say, Suite, cache_folder

Recipe = Literal["node", "standins", "rabbitmq"]
MIRROR = "http://deb.debian.org/debian"
_BUILD_LIMIT = 3600


def recipe_text(recipe: Recipe) -> str:
    """Return the shell script that turns a bare Debian into the image."""
    folder = resources.files("oz_installer.lab") / "recipes"
    return "\n".join((folder / f"{name}.sh").read_text() for name in ("common", recipe))


def recipe_digest(recipe: Recipe, suite: Suite) -> str:
    """Return a short digest of everything that determines the image's content."""
    return hashlib.sha256(f"{suite}\n{recipe_text(recipe)}".encode()).hexdigest()[:12]


def node_image(suite: Suite) -> str:
    """Return name and tag of the image that nodes run."""
    return f"oz-lab-node:{suite}-{recipe_digest('node', suite)}"


def standin_base(recipe: Literal["standins", "rabbitmq"] = "standins") -> str:
    """Return name and tag of the root file system that all stand-ins share."""
    return f"oz-lab-{recipe}:trixie-{recipe_digest(recipe, 'trixie')}"


def ensure_node_image(suite: Suite, say: Say) -> str:
    """Build the node image unless it exists; return its name."""
    return _ensure("node", suite, node_image(suite), say)


def ensure_standin_base(say: Say, recipe: Literal["standins", "rabbitmq"] = "standins") -> str:
    """Build the stand-ins' root file system unless it exists; return its name."""
    return _ensure(recipe, "trixie", standin_base(recipe), say)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock ``name`` against other runs; wait for it first."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ensure(recipe: Recipe, suite: Suite, image: str, say: Say) -> str:
    if inspect("image", image):
        return image
    with locked(image.replace(":", "-")):
        if not inspect("image", image):
            bare = _ensure_bare(suite, say)
            say(f"Building the image {image} from Debian's packages (a minute or two, once) ...")
            began = time.monotonic()
            _build(recipe, suite, bare, image)
            say(f"Built {image} in {time.monotonic() - began:.0f} s.")
    return image


def _build(recipe: Recipe, suite: Suite, bare: str, image: str) -> None:
    """Run the recipe in a container on this machine's network; keep the result as one layer."""
    container = f"oz-lab-build-{recipe}-{os.getpid()}"
    start = ["run", "-i", "--network", "host", "--label", f"{LABEL}-build=1", "--env", f"SUITE={suite}"]
    archive = _root_archive(image)
    partial = archive.with_suffix(f".{os.getpid()}")
    try:
        docker(
            *start, "--name", container, bare, "bash", "-s", text=recipe_text(recipe), timeout=_BUILD_LIMIT
        )
        docker("export", "--output", partial, container, timeout=_BUILD_LIMIT)
        docker("import", "--change", f"LABEL {LABEL}.recipe={recipe}", partial, image, timeout=_BUILD_LIMIT)
        if recipe != "node":
            _digest_file(archive).write_text(_sha256(partial))
            partial.rename(archive)
    finally:
        partial.unlink(missing_ok=True)
        docker("rm", "--force", "--volumes", container, check=False)


def standin_root(recipe: Literal["standins", "rabbitmq"], say: Say) -> tuple[Path, str]:
    """Return the stand-ins' root file system (a tar file) and its sha256; build it if missing."""
    image = ensure_standin_base(say, recipe)
    archive = _root_archive(image)
    with locked(image.replace(":", "-")):
        if not (archive.is_file() and _digest_file(archive).is_file()):
            container = f"oz-lab-export-{recipe}-{os.getpid()}"
            docker("create", "--label", f"{LABEL}-build=1", "--name", container, image, "true")
            try:
                docker("export", "--output", archive, container, timeout=_BUILD_LIMIT)
            finally:
                docker("rm", "--force", container, check=False)
            _digest_file(archive).write_text(_sha256(archive))
    return archive, _digest_file(archive).read_text()


def _root_archive(image: str) -> Path:
    return cache_folder() / f"{image.replace(':', '-')}.tar"


def _digest_file(archive: Path) -> Path:
    return archive.with_suffix(".sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ensure_bare(suite: Suite, say: Say) -> str:
    """Build a bare Debian image with debootstrap unless it exists; return its name."""
    image = f"oz-lab-debian:{suite}"
    with locked(image.replace(":", "-")):
        if inspect("image", image):
            return image
        say(f"Building a bare Debian {suite} with debootstrap (half a minute, once) ...")
        folder = Path(tempfile.mkdtemp(prefix="oz-lab-debian-"))
        try:
            root = folder / "root"
            include = "--include=ca-certificates"
            run(["debootstrap", "--variant=minbase", include, suite, root, MIRROR], timeout=_BUILD_LIMIT)
            archive = folder / "root.tar"
            run(["tar", "-C", root, "-cf", archive, "--exclude=./var/cache/apt/archives/*.deb", "."])
            docker("import", archive, image)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return image
