"""What a machine says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """A machine as it describes itself. Memory and disk in KiB; None where it could not tell.

    ``place`` is the install folder, or the nearest folder above it that is there; ``options`` are those that
    its file system is mounted with. ``uid`` and ``login`` are whom commands run as; ``owner`` and ``mode``
    those of the install folder, where it is there. ``sudo``: where access is denied, it asks for no password.
    ``disk_hangs``: the disk behind it does not answer, and nothing more is known of it.
    """

    cores: int | None = None
    memory: int | None = None
    flags: frozenset[str] = frozenset()
    model: str = ""
    machine: str = ""
    kernel: str = ""
    os: str = ""
    python: str = ""
    place: str = ""
    disk_size: int | None = None
    disk_free: int | None = None
    disk_hangs: bool = False
    installed: bool = False
    access: str = "ok"
    sudo: bool = False
    uid: int | None = None
    login: str = ""
    selinux: str = ""
    owner: str = ""
    owner_uid: int | None = None
    mode: int = 0
    options: frozenset[str] = frozenset()
