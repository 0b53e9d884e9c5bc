"""Drafts on disk: answers that were typed but not saved, without their secrets.

Each answers file has one draft, and one more for each further process that edits it: a process never
overwrites a draft that it neither created nor resumed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from oz_installer.answers.dotted_keys import plain_secrets
from oz_installer.answers.drafts.lock import acquire, held_drafts, is_locked, release
from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_text
from oz_installer.answers.local_files import write_private
from oz_installer.answers.questions import question
from oz_installer.answers.yaml.writer import dumps_values
from oz_installer.errors import AnswersError

LARGEST = 8 * 1024 * 1024
"""Maximum size of a draft, in bytes."""

_VERSION = 1


@dataclass(frozen=True)
class SavedDraft:
    """A draft on disk: its ``path``, its answers file ``target``, and the wizard's ``step``.

    ``saved_at`` is in seconds since 1970; ``held``: another process owns it.
    """

    path: Path
    target: Path
    saved_at: float
    step: str
    held: bool = False


def save_draft(working: WorkingCopy, target: Path, step: str) -> SavedDraft:
    """Save a draft of an answers file, without secrets, over the previous one.

    Raises AnswersError.
    """
    forgotten = [key for key, _ in plain_secrets(working.values)]
    document = {
        "version": _VERSION,
        "target": str(_absolute(target)),
        "saved_at": time.time(),
        "step": step,
        "answers": dumps_values(working.values, without_plain_secrets=True),
        "texts": dict(working.texts),
        "missing_secrets": list(dict.fromkeys([*working.missing_secrets, *forgotten])),
    }
    try:
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        path = _own_path(target)
        write_private(path, json.dumps(document).encode())
    except (OSError, ValueError) as error:
        message = f"{target}: no draft of it can be saved: {getattr(error, 'strerror', None) or error}"
        raise AnswersError(message, "save the answers to a file so that nothing is lost") from error
    return _saved(path, document)


def load_draft(saved: SavedDraft) -> WorkingCopy:
    """Load a draft and take ownership of it. Raises AnswersError.

    ``missing_secrets`` of the result names the secrets to type again.
    """
    _take_over(saved)
    try:
        document = _document(saved.path)
        working = WorkingCopy.of(parse_text(document["answers"], str(saved.path)))
        texts = {str(key): str(text) for key, text in dict(document["texts"]).items()}
        for key, text in texts.items():
            working = working.with_text(key, text)
        secret = (key for key in document["missing_secrets"] if question(key).kind == "secret")
        known = tuple(key for key in secret if not working.is_given(key))
        return replace(working, missing_secrets=(*working.missing_secrets, *known))
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, AnswersError) as error:
        message = f"{saved.path}: the draft cannot be read"
        raise AnswersError(message, f"open {saved.target} instead, or start with new answers") from error


def list_drafts() -> tuple[SavedDraft, ...]:
    """Return every readable draft, the newest first."""
    found: list[SavedDraft] = []
    try:
        paths = sorted(_folder().glob("*.json"))
    except (OSError, AnswersError):
        return ()
    for path in paths:
        try:
            found.append(replace(_saved(path, _document(path)), held=is_locked(path)))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tuple(sorted(found, key=lambda saved: -saved.saved_at))


def delete_own_draft(target: Path) -> None:
    """Delete this process's draft of an answers file, if there is one. Raises AnswersError."""
    for path in _owned(target):
        _remove(path)


def release_draft(target: Path) -> None:
    """Keep this process's draft of an answers file, but let other processes resume it."""
    for path in _owned(target):
        release(path)


def delete_draft(saved: SavedDraft) -> None:
    """Delete a draft.

    Raises AnswersError when another process owns it, or has written to it since it was listed.
    """
    mine = saved.path in held_drafts()
    _take_over(saved)
    if not mine and _written_since(saved):
        release(saved.path)
        message = f"{saved.target}: another oz-install has written to this draft in the meantime"
        raise AnswersError(message, "resume the draft to see its content")
    _remove(saved.path)


def _written_since(saved: SavedDraft) -> bool:
    try:
        return _saved(saved.path, _document(saved.path)).saved_at > saved.saved_at
    except (OSError, ValueError, KeyError, TypeError):
        return False  # an unreadable draft cannot be resumed


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        release(path, removed=True)
    except OSError as error:
        message = f"{path}: the draft cannot be removed: {error.strerror}"
        raise AnswersError(message, "delete the file yourself; it contains no secrets") from error


# --- ownership ------------------------------------------------------------------------------------------
def _own_path(target: Path) -> Path:
    """Return this process's draft of an answers file, or a new path that it now owns."""
    if mine := _owned(target):
        return mine[0]
    paths = (_path_of(target, number) for number in count(1))
    return next(path for path in paths if not path.exists() and acquire(path))


def _take_over(saved: SavedDraft) -> None:
    """Own this draft of an answers file and release its others. Raises AnswersError."""
    if not acquire(saved.path):
        message = f"{saved.target}: another oz-install is editing this draft"
        raise AnswersError(message, "continue there, or quit that oz-install first")
    for other in _owned(saved.target):
        if other != saved.path:
            release(other)


def _owned(target: Path) -> list[Path]:
    """Return this process's drafts of an answers file."""
    first = _path_of(target, 1)
    return [path for path in held_drafts() if path.parent == first.parent and path.name[:32] == first.stem]


# --- files ----------------------------------------------------------------------------------------------
def _folder() -> Path:
    """``$XDG_STATE_HOME/oz-install/drafts``; the variable counts only if it is an absolute path."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        base = state if state.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise AnswersError("there is no home folder for drafts", "export XDG_STATE_HOME") from error
    return base / "oz-install" / "drafts"


def _absolute(target: Path) -> Path:
    return Path(os.path.abspath(target))  # noqa: PTH100 - keep symbolic links: the operator knows this name


def _path_of(target: Path, number: int) -> Path:
    """Return the path of an answers file's draft with this number, counted from 1."""
    digest = hashlib.sha256(os.fsencode(_absolute(target))).hexdigest()
    return _folder() / f"{digest[:32]}{f'-{number}' if number > 1 else ''}.json"


def _document(path: Path) -> Mapping[str, Any]:
    """Read the JSON document of a draft. Raises OSError and ValueError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ValueError(f"{path} is not a regular file")
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"{path} is too large")
    try:
        document: Any = json.loads(data)
    except RecursionError as error:
        raise ValueError(f"{path} is too deep") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise ValueError(f"{path} is of another version")
    return document


def _saved(path: Path, document: Mapping[str, Any]) -> SavedDraft:
    target = Path(str(document["target"]))
    return SavedDraft(path, target, float(document["saved_at"]), str(document["step"]))
