"""Files on this machine: resolve paths of the answers, read files, write private files."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

MOVE = "move the answers to a folder below your home (in WSL, not below /mnt/c)"
NO_MODES = f"its file system keeps no file modes, so others could read it; {MOVE}"
"""Why a file cannot be private: DrvFs of WSL, vfat, some SMB mounts."""


def resolve_path(path: Path | str, base: Path) -> Path:
    """Return ``path`` with ``~`` expanded, relative to ``base``, the folder of the answers file."""
    try:
        expanded = Path(path).expanduser()
    except RuntimeError:  # ~unknown-user stays as it is written
        expanded = Path(path)
    return base / expanded


def secrets_file_path(answers: Path) -> Path:
    """The file of generated secrets: ``answers.yml`` -> ``answers.secrets.json``."""
    return answers.with_suffix(".secrets.json")


def typed_secrets_dir(answers: Path) -> Path:
    """The folder of typed secrets: ``answers.yml`` -> ``answers.secrets.d``."""
    return answers.with_suffix(".secrets.d")


class UnreadableFile(Exception):
    """A file cannot be used; the text continues a sentence that starts with its path."""


def read_file(file: Path, most: int) -> bytes:
    """Return the first ``most`` bytes of a file. Raises UnreadableFile, also when it is blank."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UnreadableFile("is not a regular file")
            content = stream.read(most)
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not content.strip():
        raise UnreadableFile("is empty")
    return content


def is_ours(status: os.stat_result) -> bool:
    """Return whether a file belongs to this user, to root, or to the user who called sudo."""
    called_by = os.environ.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    return status.st_uid in (os.geteuid(), 0) or str(status.st_uid) == called_by


def foreign_owner(status: os.stat_result) -> str:
    """Return whose file it is, for a sentence; empty when it is ours."""
    if is_ours(status):
        return ""
    import pwd  # only for a file that is refused

    try:
        name = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        name = f"the user {status.st_uid}"
    return f"belongs to {name}, who could put anything into it"


def chmod_hint(path: Path, change: str = "600") -> str:
    """Return how to take a file from others; a file system without modes ignores chmod."""
    return f"run chmod {change} {path}; if nothing changes, {MOVE}"


def write_private(path: Path, data: bytes) -> None:
    """Replace a file atomically, readable by its owner only. Raises OSError.

    The content is synced to disk before the rename, so that a crash leaves the old file or the new one.
    A link is followed unless another user made it. A file system that keeps no modes is refused.
    """
    with suppress(FileNotFoundError):
        there = path.lstat()
        if stat.S_ISLNK(there.st_mode) and not is_ours(there):
            raise PermissionError(errno.EPERM, "it is a link that another user made", str(path))
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        ) as out:
            if stat.S_IMODE(os.fstat(out.fileno()).st_mode) & 0o077:
                raise OSError(errno.EOPNOTSUPP, NO_MODES, str(path))
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
