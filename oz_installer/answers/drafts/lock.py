"""Ownership of drafts: a process holds a lock on a file beside the draft until it exits."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from threading import RLock

_OWNED: dict[Path, int | None] = {}
"""Drafts that this process owns, with the descriptor of the lock; None without a lock."""

_MUTEX = RLock()
"""Guards ``_OWNED``: flock does not separate the threads of one process."""


def acquire(path: Path) -> bool:
    """Take ownership of a draft; return whether it succeeded.

    False when another process owns it. Always true where files cannot be locked.
    """
    with _MUTEX:
        if path in _OWNED:
            return True
        try:
            handle = os.open(lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            _OWNED[path] = None
            return True
        if not _lock(handle, fcntl.LOCK_EX):
            os.close(handle)
            return False
        if not os.fstat(handle).st_nlink:  # its owner has just removed it with the draft
            os.close(handle)
            return acquire(path)
        _OWNED[path] = handle
        return True


def held_drafts() -> tuple[Path, ...]:
    """Return the drafts that this process owns."""
    with _MUTEX:
        return tuple(_OWNED)


def is_locked(path: Path) -> bool:
    """Return whether another process owns a draft."""
    with _MUTEX:
        if path in _OWNED:
            return False
        try:
            handle = os.open(lock_path(path), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return not _lock(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)


def release(path: Path, *, removed: bool = False) -> None:
    """Give up ownership of a draft; ``removed`` also deletes its lock file. Raises OSError."""
    with _MUTEX:
        if (handle := _OWNED.pop(path, None)) is None:
            return
        try:
            if removed:
                lock_path(path).unlink(missing_ok=True)
        finally:
            os.close(handle)


def lock_path(path: Path) -> Path:
    """Return the lock file of a draft."""
    return path.with_suffix(".lock")


def _lock(handle: int, mode: int) -> bool:
    """Take a lock; return whether it succeeded. Always true on file systems without locks."""
    with suppress(OSError):
        try:
            fcntl.flock(handle, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
