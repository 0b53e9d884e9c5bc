"""Save edited answers: first each typed secret in a private file, then the answers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from oz_installer.answers.dotted_keys import map_plain_secrets, plain_secrets
from oz_installer.answers.drafts.relocate import relocated
from oz_installer.answers.drafts.round_trip import update_text
from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import LARGEST, parse_text
from oz_installer.answers.local_files import resolve_path, secrets_file_path, typed_secrets_dir, write_private
from oz_installer.answers.model import SecretRef
from oz_installer.answers.questions import question
from oz_installer.answers.secrets.store import SecretStore
from oz_installer.answers.value_rules import name as node_name
from oz_installer.answers.yaml.writer import save_text
from oz_installer.errors import AnswersError, Problem

PINNED = ("release", "engine", "install_dir")
"""Answers that a new file always has."""

MOST_OTHERS = 50
"""Maximum number of other answers files in a folder that are searched for references."""


def save_answers(
    working: WorkingCopy, path: Path, source: str | None = None, opened: Path | None = None
) -> WorkingCopy:
    """Write the answers file, complete or not, and each typed secret to a file of its own.

    ``source`` is the text as it was opened; its comments and formatting stay. ``opened`` is the file it came
    from: when the answers are saved to another one, secrets are copied along, generated ones too, and
    relative paths are adapted. A replaced file that differs from ``source`` is kept beside the new one
    (``.old``), with its secrets. Returns the answers as the file now has them. If anything fails, the
    previous file still works. A new file has the release, engine and install folder also where they are the
    defaults. Raises AnswersError, or LockedError while a run generates secrets there.
    """
    former = opened if opened != path else None
    if former is not None:
        working = relocated(working, former, path)
    if source is None:
        working = _with_pinned(working)
    _check_savable(working, path)
    folder = typed_secrets_dir(path)
    ours = former is None and source is not None and _read_text(path) == source
    before = _files_in(path, folder) if ours else set()
    with _rollback(path, folder) as written:
        if not ours:
            written += _back_up(path)
        if former is not None and former.is_file():
            written += _copy_generated(former, path)
        refs = _write_secrets(working, folder, written)
        values = map_plain_secrets(working.values, lambda key, _: refs[key])
        kept = replace(working, values=values, lost=())
        text = kept.yaml() if source is None else update_text(source, kept.values_and_texts())
        if len(text.encode()) > LARGEST:
            raise AnswersError(f"{path}: would be larger than 1 MiB", "shorten the texts in its fields")
        save_text(text, path)
    needed = _files_of(values, path, folder) | _files_of_others(path, folder)
    _remove_unused(before - needed, folder)
    return kept


def _with_pinned(working: WorkingCopy) -> WorkingCopy:
    """Give what a later oz-install may have another default for: a rerun must not upgrade by it."""
    for key in PINNED:
        if not working.is_given(key) and not working.problem(key):
            working = working.with_value(key, working.get(key))
    return working


def _check_savable(working: WorkingCopy, path: Path) -> None:
    """Raise AnswersError, before anything is written, if the result could not be read again."""
    wrong = [
        Problem(key=key, message=message.partition("; ")[0], hint=message.partition("; ")[2])
        for key, ref in plain_secrets(working.values)
        if (message := question(key).check(ref))
    ]
    if wrong:
        raise AnswersError(f"{path}: was not saved: a secret is not valid", "type it again", problems=wrong)
    try:
        folder, parent = path.is_dir(), path.parent.is_dir()
    except OSError as error:
        raise AnswersError(f"{path}: was not saved: {error.strerror}", "name another file") from error
    if not path.name or folder:
        raise AnswersError(f"{path}: was not saved: it is a folder", "name a file in it, such as answers.yml")
    if not parent:
        hint = f"run mkdir -p {path.parent}, or name a file in a folder that exists"
        raise AnswersError(f"{path}: was not saved: there is no folder {path.parent}", hint)


@contextmanager
def _rollback(path: Path, folder: Path) -> Iterator[list[Path]]:
    """Collect new files; if the block fails, remove those that the answers do not refer to."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        _remove_unused(set(written) - _files_in(path, folder), folder)
        raise


def _back_up(path: Path) -> list[Path]:
    """Back up a file before it is replaced, as it may be the only copy.

    Returns the backup, if one was made.
    """
    if not path.is_file():
        return []
    try:
        data = path.read_bytes()
        copy = _free_file(path.with_name(f"{path.name}.old"), data)
        if copy.exists():
            return []
        write_private(copy, data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{path}: was not replaced: it cannot be backed up: {reason}"
        raise AnswersError(message, "save under another name") from error
    return [copy]


def _read_text(path: Path) -> str | None:
    """Return the text of a file; None when it does not exist or cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig") if path.is_file() else None
    except (OSError, ValueError):
        return None


def _copy_generated(former: Path, path: Path) -> list[Path]:
    """Copy generated secrets along, as nodes already use them; return the new file, if any."""
    store, copy = secrets_file_path(former), secrets_file_path(path)
    return [copy] if store != copy and SecretStore(store).copy_to(copy) else []


def _write_secrets(working: WorkingCopy, folder: Path, written: list[Path]) -> dict[str, SecretRef]:
    """Write the typed secrets; return, by dotted key, the references that replace them."""
    refs: dict[str, SecretRef] = {}
    slots: set[str] = set()
    for key, ref in plain_secrets(working.values):
        slot = _slot_name(working, key, slots)
        slots.add(slot)
        data = f"{ref.where}\n".encode()
        try:
            _make_private(folder)
            path = _free_file(folder / slot, data)
            if not path.exists():
                written.append(path)
                write_private(path, data)
            path.chmod(0o600)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = "save the answers in a folder that you can write; typed secrets are kept beside them"
            raise AnswersError(f"{folder}: cannot be written: {reason}", hint) from error
        refs[key] = SecretRef(kind="file", where=f"{folder.name}/{path.name}")
    return refs


def _slot_name(working: WorkingCopy, key: str, taken: set[str]) -> str:
    """Name a secret: ``database.password``, ``nodes.api1.password``, or ``nodes._1.password``.

    A node has its number where its name is not valid or not unique.
    """
    if not key.startswith("nodes["):
        return key
    node, _, field = key.partition("].")
    index = int(node.removeprefix("nodes["))
    name = working.get(f"nodes[{index}].name")
    slot = f"nodes.{name}.{field}"
    # A valid name has no underscore
    return slot if name and not node_name(name) and slot not in taken else f"nodes._{index + 1}.{field}"


def _make_private(folder: Path) -> None:
    """Create the folder if needed, synced to disk and with mode 700. Raises OSError."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        handle = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        folder.chmod(0o700)


def _free_file(path: Path, data: bytes) -> Path:
    """Return the path or a numbered one that does not exist yet or has this very content.

    Files that older answers refer to are never overwritten.
    """
    number, found = 1, path
    while found.is_symlink() or found.exists():
        with suppress(OSError):
            if found.is_file() and not found.is_symlink() and found.read_bytes() == data:
                return found
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found


def _files_in(path: Path, folder: Path) -> set[Path]:
    """Return the files of typed secrets that the answers at ``path`` refer to now."""
    try:
        with path.open("rb") as stream:
            text = stream.read(LARGEST).decode("utf-8-sig")
        return _files_of(parse_text(text).values, path, folder)
    except (OSError, ValueError, AnswersError):
        return set()


def _files_of_others(path: Path, folder: Path) -> set[Path]:
    """Return the files that other answers of the same folder (copies made by hand) refer to."""
    others = sorted(one for one in path.parent.glob("*.y*ml") if one != path and one.is_file())
    return {file for other in others[:MOST_OTHERS] for file in _files_in(other, folder)}


def _files_of(values: Any, path: Path, folder: Path) -> set[Path]:
    if isinstance(values, Mapping):
        values = list(values.values())
    if isinstance(values, list):
        return {file for value in values for file in _files_of(value, path, folder)}
    if not isinstance(values, SecretRef) or values.kind != "file":
        return set()
    file = resolve_path(values.where, path.parent)
    return {file} if file.parent == folder else set()


def _remove_unused(files: set[Path], folder: Path) -> None:
    """Remove secrets that nothing refers to any more; a failure is ignored."""
    for file in sorted(files):
        with suppress(OSError):
            file.unlink()
    with suppress(OSError):
        folder.rmdir()
