"""Stream all stand-in images as one ``docker load`` archive that holds each layer once."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import IO, Any

from oz_installer.lab.standin_images import StandIn, image_config

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Archive:
    """Images made of two layers: a Debian root file system (a tar file) and the lab's own files."""

    images: tuple[StandIn, ...]
    base: Path
    base_digest: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names and tags of the images."""
        return tuple(image.name for image in self.images)

    @property
    def full_names(self) -> tuple[str, ...]:
        """Names and tags with their registry, as Podman shows them."""
        return tuple(name_in_full(name) for name in self.names)

    @cached_property
    def own_layer(self) -> bytes:
        """The lab's own files as a reproducible tar."""
        return tar_of_folder(Path(str(resources.files("oz_installer.lab") / "standins" / "rootfs")))

    @cached_property
    def own_digest(self) -> str:
        return hashlib.sha256(self.own_layer).hexdigest()

    @cached_property
    def digest(self) -> str:
        """Short digest of the images' content; a node keeps the one it has loaded."""
        whole = json.dumps(self.manifest)
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    @cached_property
    def configs(self) -> list[tuple[str, bytes]]:
        """File name and content of each image's configuration."""
        layers = (f"sha256:{self.base_digest}", f"sha256:{self.own_digest}")
        texts = (json.dumps(image_config(image, layers), sort_keys=True).encode() for image in self.images)
        return [(f"{hashlib.sha256(text).hexdigest()}.json", text) for text in texts]

    @cached_property
    def manifest(self) -> list[dict[str, Any]]:
        layers = [f"{self.base_digest}/layer.tar", f"{self.own_digest}/layer.tar"]
        return [
            {"Config": config, "RepoTags": [name_in_full(image.name)], "Layers": layers}
            for image, (config, _) in zip(self.images, self.configs, strict=True)
        ]

    def write(self, target: IO[bytes], *, with_base: bool = True) -> None:
        """Stream the archive into ``target``, which need not be seekable.

        An engine that already has the base layer does not need it in the archive: without it
        a change of the lab's own files loads in a moment.
        """
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.GNU_FORMAT, bufsize=_BLOCK) as tar:
            if with_base:
                with self.base.open("rb") as base:
                    entry = _entry(f"{self.base_digest}/layer.tar", self.base.stat().st_size)
                    tar.addfile(entry, base)
            _add(tar, f"{self.own_digest}/layer.tar", self.own_layer)
            for name, text in self.configs:
                _add(tar, name, text)
            _add(tar, "manifest.json", json.dumps(self.manifest).encode())


def name_in_full(name: str) -> str:
    """Add the registry to a Docker Hub name: nginx:1 becomes docker.io/library/nginx:1."""
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"


def tar_of_folder(folder: Path) -> bytes:
    """Pack a folder as an uncompressed tar owned by root, sorted and without times."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            if "__pycache__" in path.parts or path.suffix == ".pyc":
                continue
            name = path.relative_to(folder).as_posix()
            if path.is_dir():
                entry = _entry(name, 0, mode=0o755)
                entry.type = tarfile.DIRTYPE
                tar.addfile(entry)
            else:
                mode = 0o755 if path.parent.name == "bin" else 0o644
                _add(tar, name, path.read_bytes(), mode=mode)
    return buffer.getvalue()


def _entry(name: str, size: int, *, mode: int = 0o644) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, mode, 0
    return entry


def _add(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    tar.addfile(_entry(name, len(content), mode=mode), io.BytesIO(content))
