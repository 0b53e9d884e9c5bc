"""The file of generated secrets: made once, 0600, beside the answers, and nowhere else in clear."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from oz_installer.answers.local_files import write_private
from oz_installer.errors import AnswersError, LockedError
from oz_installer.secret import Secret
from oz_installer.text import join_and

PATIENCE = 10.0
"""How long another process may hold the lock, in seconds."""

_NOTE = "Made by oz-install; without this file the passwords of the installation are lost. Keep it private."


class SecretStore:
    """Generated secrets by slot (``redis.password``); JSON, because YAML is needed for nothing here."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Secret]:
        """What is kept; nothing when there is no file yet. Raises AnswersError."""
        try:
            with os.fdopen(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                self._check(os.fstat(stream.fileno()))
                document = json.loads(stream.read())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}", "check its owner and mode") from error
        except (ValueError, RecursionError) as error:
            hint = "restore it from a copy; remove it only if nothing is installed with it"
            raise self._error("is not the JSON that oz-install wrote", hint) from error
        return self._secrets(document)

    def add(self, made: Mapping[str, Secret]) -> None:
        """Add new secrets to those kept. A crash leaves the old file or the new one.

        Raises AnswersError; LockedError when another run has kept others for the same slots meanwhile.
        """
        if not made:
            return
        with self._locked():
            kept = self.read()
            if other := [slot for slot, secret in made.items() if kept.get(slot, secret) != secret]:
                message = f"{self.path}: another run has just made {', '.join(other)}"
                raise LockedError(message, "Run the same command again.")
            self._write({**kept, **made})

    def copy_to(self, path: Path) -> bool:
        """Keep the same secrets there, too; whether that made the file. One that is there stays as it is.

        Raises AnswersError when it holds others, LockedError.
        """
        mine, other = self.read(), SecretStore(path)
        if os.path.lexists(path):
            theirs = other.read()
            if any(theirs.get(slot) != secret for slot, secret in mine.items()):
                hint = "save the answers under another name, or move that file away"
                raise other._error(f"is there already, with other passwords than {self.path.name}", hint)
            return False
        other.add(mine)
        return bool(mine)

    def _write(self, secrets: Mapping[str, Secret]) -> None:
        values = {slot: secrets[slot].reveal() for slot in sorted(secrets)}
        text = json.dumps({"note": _NOTE, "version": 1, "secrets": values}, indent=2, ensure_ascii=False)
        try:
            write_private(self.path, text.encode() + b"\n")
        except OSError as error:
            hint = "generated secrets are kept beside the answers; put those in a folder of yours"
            raise self._error(f"cannot be written: {error.strerror}", hint) from error

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise self._error("is not a regular file", "generated secrets are kept there; move it away")
        if status.st_mode & 0o077:
            raise self._error("can be reached by others", f"chmod 600 {self.path}")

    def _secrets(self, document: object) -> dict[str, Secret]:
        values = document.get("secrets") if isinstance(document, dict) else None
        if not isinstance(values, dict) or not isinstance(document, dict) or document.get("version") != 1:
            raise self._error(
                "is not of a version that this oz-install reads", "restore it, or update oz-install"
            )
        if bad := [slot for slot, value in values.items() if not isinstance(value, str) or not value]:
            raise self._error(f"holds no text for {', '.join(bad)}", "restore it from a copy")
        return {slot: Secret(value) for slot, value in values.items()}

    def _error(self, message: str, hint: str) -> AnswersError:
        return AnswersError(f"{self.path}: {message}", hint)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock; on file systems that lock no folders (NFS), a lock file's."""
        try:
            handle = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._wait(handle)
            except OSError:
                os.close(handle)
                name = self.path.with_name(f".{self.path.name}.lock")
                handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._wait(handle)
        except OSError as error:
            raise self._error(f"cannot be locked: {error.strerror}", "check the folder's owner") from error
        try:
            yield
        finally:
            os.close(handle)

    def _wait(self, handle: int) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > until:
                    os.close(handle)
                    message = f"{self.path}: another run holds the lock"
                    raise LockedError(message, "wait for it to end, then run again") from error
                time.sleep(0.05)
            else:
                return


def mismatch_text(is_lost: bool, lacking: Collection[str], other: Collection[str]) -> str:
    """What is to be said of such a file: slots that it lacks, slots of which it holds another password."""
    if is_lost:
        return "is missing"
    said = [f"lacks {', '.join(lacking)}"] if lacking else []
    said += [f"holds another {', '.join(other)}"] if other else []
    return join_and(said)


def restore_hint(install_dir: str) -> str:
    """How to have the file again."""
    return f"Restore it from a copy (the passwords also stand below {install_dir}/current on the nodes)"
