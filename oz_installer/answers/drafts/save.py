"""Saving what was edited: each typed secret in a private file of its own, the answers last."""

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

MOST_OTHERS = 50
"""So many other answers files of a folder are looked into."""


def save_answers(
    working: WorkingCopy, path: Path, source: str | None = None, opened: Path | None = None
) -> WorkingCopy:
    """Write the answers file, complete or not, and every typed secret to a file of its own that it refers to.

    ``source`` is the file as it was opened: its comments and looks stay. ``opened`` is where it stands: saved
    somewhere else, its secrets are copied along, generated ones, too, and what it refers to is found from
    there. A file that is replaced and says something else than ``source`` is kept beside it (``.old``), and
    so are its secrets. Returns the answers as the file now has them. Whatever fails, the file that was there
    works. Raises AnswersError; LockedError while a run makes secrets there.
    """
    former = opened if opened != path else None
    if former is not None:
        working = relocated(working, former, path)
    _check(working, path)
    folder = typed_secrets_dir(path)
    ours = former is None and source is not None and _text(path) == source
    before = _files_in(path, folder) if ours else set()
    with _taken_back(path, folder) as written:
        if not ours:
            written += _put_aside(path)
        if former is not None and former.is_file():
            written += _generated(former, path)
        refs = _write_secrets(working, folder, written)
        values = map_plain_secrets(working.values, lambda key, _: refs[key])
        kept = replace(working, values=values, lost=())
        text = kept.yaml() if source is None else update_text(source, kept.values_and_texts())
        if len(text.encode()) > LARGEST:
            raise AnswersError(f"{path}: would be larger than 1 MiB", "shorten what stands in its fields")
        save_text(text, path)
    needed = _files_of(values, path, folder) | _files_of_others(path, folder)
    _forget(before - needed, folder)
    return kept


def _check(working: WorkingCopy, path: Path) -> None:
    """Tell before anything is written what could not be read again."""
    wrong = [
        Problem(key=key, message=message.partition("; ")[0], hint=message.partition("; ")[2])
        for key, ref in plain_secrets(working.values)
        if (message := question(key).check(ref))
    ]
    if wrong:
        raise AnswersError(f"{path}: was not saved: a secret cannot be kept", "type it again", problems=wrong)
    try:
        folder, parent = path.is_dir(), path.parent.is_dir()
    except OSError as error:
        raise AnswersError(f"{path}: was not saved: {error.strerror}", "name another file") from error
    if not path.name or folder:
        raise AnswersError(f"{path}: was not saved: it is a folder", "name a file in it, such as answers.yml")
    if not parent:
        hint = f"mkdir -p {path.parent}, or name a file in a folder that is there"
        raise AnswersError(f"{path}: was not saved: there is no folder {path.parent}", hint)


@contextmanager
def _taken_back(path: Path, folder: Path) -> Iterator[list[Path]]:
    """Collects new files; when what follows fails, those that the answers do not need are removed."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        _forget(set(written) - _files_in(path, folder), folder)
        raise


def _put_aside(path: Path) -> list[Path]:
    """Keep a copy of a file that is about to be replaced: nobody may have another one. The copy, if any."""
    if not path.is_file():
        return []
    try:
        data = path.read_bytes()
        copy = _free_file(path.with_name(f"{path.name}.old"), data)
        if copy.exists():
            return []
        write_private(copy, data)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        message = f"{path}: was not replaced: no copy of it can be kept: {said}"
        raise AnswersError(message, "save under another name") from error
    return [copy]


def _text(path: Path) -> str | None:
    """What the file says; None when it is not there or cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig") if path.is_file() else None
    except (OSError, ValueError):
        return None


def _generated(former: Path, path: Path) -> list[Path]:
    """Take generated secrets along: nodes have them already. The file that was made for them, if any."""
    store, copy = secrets_file_path(former), secrets_file_path(path)
    return [copy] if store != copy and SecretStore(store).copy_to(copy) else []


def _write_secrets(working: WorkingCopy, folder: Path, written: list[Path]) -> dict[str, SecretRef]:
    """Write the typed secrets; by key, what the answers say instead."""
    refs: dict[str, SecretRef] = {}
    slots: set[str] = set()
    for key, ref in plain_secrets(working.values):
        slot = _slot(working, key, slots)
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
            said = getattr(error, "strerror", None) or str(error)
            hint = "typed secrets are kept beside the answers; save them in a folder of yours"
            raise AnswersError(f"{folder}: cannot be written: {said}", hint) from error
        refs[key] = SecretRef(kind="file", where=f"{folder.name}/{path.name}")
    return refs


def _slot(working: WorkingCopy, key: str, taken: set[str]) -> str:
    """``database.password``; of a node ``nodes.api1.password``, or its number where its name is no name."""
    if not key.startswith("nodes["):
        return key
    place, _, field = key.partition("].")
    index = int(place.removeprefix("nodes["))
    name = working.get(f"nodes[{index}].name")
    slot = f"nodes.{name}.{field}"
    # No name has an underscore in it
    return slot if name and not node_name(name) and slot not in taken else f"nodes._{index + 1}.{field}"


def _make_private(folder: Path) -> None:
    """The folder, on the disk and nobody else's. Raises OSError."""
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
    """A file that is not there yet, or holds just this: what older answers refer to is not overwritten."""
    number, found = 1, path
    while found.is_symlink() or found.exists():
        with suppress(OSError):
            if found.is_file() and not found.is_symlink() and found.read_bytes() == data:
                return found
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found


def _files_in(path: Path, folder: Path) -> set[Path]:
    """The files of typed secrets that the answers at ``path`` refer to now."""
    try:
        with path.open("rb") as stream:
            text = stream.read(LARGEST).decode("utf-8-sig")
        return _files_of(parse_text(text).values, path, folder)
    except (OSError, ValueError, AnswersError):
        return set()


def _files_of_others(path: Path, folder: Path) -> set[Path]:
    """Those that other answers files of the same folder refer to: copies of this one, made by hand."""
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


def _forget(files: set[Path], folder: Path) -> None:
    """Remove secrets that nothing refers to any more; one that stays does no harm."""
    for file in sorted(files):
        with suppress(OSError):
            file.unlink()
    with suppress(OSError):
        folder.rmdir()
