"""Facts about a machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """A machine as it describes itself. Memory and disk in KiB; None when unknown.

    ``place`` is the install folder, or the nearest existing one above it; ``options`` are its mount options.
    ``uid`` and ``login`` are the user that runs the commands; ``owner`` and ``mode`` belong to the install
    folder, if it exists. ``sudo``: access is denied, but sudo works without a password.
    ``disk_hangs``: the disk behind the folder does not answer, and nothing more is known about it.
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
