"""Facts about a machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oz_installer.text import parse_int, safe_line


@dataclass(frozen=True, kw_only=True)
class FolderOwner:
    """Who may change a folder: its owner, its group, and everybody whom the mode lets write."""

    owner: str = ""
    uid: int | None = None
    mode: int = 0
    group: str = ""
    path: str = ""

    @classmethod
    def parse(cls, words: Sequence[str]) -> FolderOwner:
        """Parse owner, user ID, mode, group and, maybe, path; foreign text."""
        owner, uid, mode, group, path, *_ = (*words, "", "", "", "", "")
        octal = len(mode) <= 4 and mode.isascii() and set(mode) <= set("01234567")
        return cls(
            owner=safe_line(owner),
            uid=parse_int(uid[:10]),
            mode=int(mode or "0", 8) if octal else 0,
            group=safe_line(group),
            path=safe_line(path),
        )

    @property
    def written_by_group(self) -> bool:
        """Whether a group may write that is neither root's nor the owner's own."""
        return bool(self.mode & 0o020) and self.group not in ("", "root", self.owner)


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """A machine as it describes itself. Memory and disk in KiB; None when unknown.

    ``place`` is the install folder, or the nearest existing one above it; ``options`` are its mount options.
    ``uid`` and ``login`` are the user that runs the commands; ``owner``, ``mode`` and ``group`` belong to the
    install folder, if it exists; ``above`` are the folders above it, the nearest first. ``sudo``: access is
    denied, but sudo works without a password. ``disk_hangs``: the disk behind the folder does not answer, and
    nothing more is known about it.
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
    inodes_free: int | None = None
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
    group: str = ""
    above: tuple[FolderOwner, ...] = ()
    options: frozenset[str] = frozenset()
