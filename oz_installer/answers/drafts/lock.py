"""Whose a draft is: a process owns it by the lock of a file beside it, for as long as it lives."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from threading import RLock

_OWNED: dict[Path, int | None] = {}
"""The drafts that this process owns, and the open file that holds the lock where there are locks."""

_ONE_BY_ONE = RLock()
"""Threads of this process are no others to each other."""


def acquire(path: Path) -> bool:
    """Own a draft from now on, unless another process does. Where nothing can be locked, everybody may."""
    with _ONE_BY_ONE:
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
        if not os.fstat(handle).st_nlink:  # its owner removed it with the draft just now
            os.close(handle)
            return acquire(path)
        _OWNED[path] = handle
        return True


def held_drafts() -> tuple[Path, ...]:
    """The drafts that this process owns."""
    with _ONE_BY_ONE:
        return tuple(_OWNED)


def is_locked(path: Path) -> bool:
    """Whether another process owns a draft."""
    with _ONE_BY_ONE:
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
    """Own a draft no more; with ``removed`` its lock goes, too. Raises OSError."""
    with _ONE_BY_ONE:
        if (handle := _OWNED.pop(path, None)) is None:
            return
        try:
            if removed:
                lock_path(path).unlink(missing_ok=True)
        finally:
            os.close(handle)


def lock_path(path: Path) -> Path:
    """The file that is locked."""
    return path.with_suffix(".lock")


def _lock(handle: int, way: int) -> bool:
    """Whether nobody else has it; file systems without locks know of nobody."""
    with suppress(OSError):
        try:
            fcntl.flock(handle, way | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
