"""A seed volume that gives new nodes the stand-in images as hard links, without loading.

An engine never changes a layer that it has loaded, so nodes can share the layers' files: a fresh
node has its images in a second, and the machine keeps one copy of them on disk and in memory.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from oz_installer.errors import DeployError
from oz_installer.lab import images, nodes
from oz_installer.lab.archive import Archive
from oz_installer.lab.docker import docker, inspect, run
from oz_installer.lab.options import LABEL, LabNode, Say

SEED_LABEL = f"{LABEL}-seed"
_LAYERS = "overlay2"
_DONE = "oz-lab-seed-complete"


def seed_volume(node_image: str, archive: Archive) -> str:
    """Return the name of the seed volume for this engine and these base layers."""
    digest = hashlib.sha256(f"{node_image} {archive.base_digest}".encode()).hexdigest()[:12]
    return f"oz-lab-seed-{digest}"


def ensure_seed(node_image: str, archive: Archive, say: Say) -> Path | None:
    """Fill the seed if needed; return its folder, or None when the engine has no overlay2."""
    volume = seed_volume(node_image, archive)
    with images.locked(volume):
        if not inspect("volume", volume):
            docker("volume", "create", "--label", f"{SEED_LABEL}=1", volume)
        folder = mountpoint(volume)
        if not (folder / _DONE).exists():
            say("Loading the stand-in images into a seed for all nodes (once) ...")
            _fill(volume, node_image, archive)
            if (folder / _LAYERS).is_dir():
                (folder / _DONE).touch()
        return folder if (folder / _DONE).exists() else None


def plant(seed: Path, volume: str) -> bool:
    """Copy the seed into a new volume by hard links; return whether that was possible."""
    target = mountpoint(volume)
    if any(target.iterdir()):
        return False
    linked = run(["cp", "-al", seed / _LAYERS, target / _LAYERS], check=False)
    if linked.status != 0:
        run(["rm", "-rf", target / _LAYERS])
        return False
    others = [path for path in seed.iterdir() if path.name not in (_LAYERS, _DONE, "engine-id")]
    run(["cp", "-a", *others, target])
    return True


def mountpoint(volume: str) -> Path:
    """Return the folder of a local volume. Raises DeployError when there is no such volume."""
    found = inspect("volume", volume)
    if not found:
        raise DeployError(f"the volume {volume} is missing", "run «lab up» again")
    return Path(found["Mountpoint"])


def _fill(volume: str, node_image: str, archive: Archive) -> None:
    """Start an engine on the volume, load the images, stop it cleanly."""
    container = f"{volume}-{os.getpid()}"
    cgroup = f"/{volume}"
    start = nodes.engine_argv(container, node_image, volume, cgroup)
    start[1:1] = ["--network", "none", "--label", f"{SEED_LABEL}=1"]
    docker(*start)
    try:
        node = LabNode(name="seed", container=container, address=None, volume=volume, cgroup=cgroup)
        nodes.wait_for_engine(node)
        nodes.ensure_images(node, archive)
        docker("stop", "--time", "60", container)
    finally:
        docker("rm", "--force", "--volumes", container, check=False)
        nodes.remove_cgroups(cgroup)
