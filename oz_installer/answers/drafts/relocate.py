"""Relocate answers to another file: move typed secrets along, make relative paths absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from oz_installer.answers.dotted_keys import with_value
from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.local_files import resolve_path, typed_secrets_dir
from oz_installer.answers.model import SecretRef
from oz_installer.answers.sections import License


def relocated(working: WorkingCopy, opened: Path, path: Path) -> WorkingCopy:
    """Return the answers of the file ``opened``, changed so that they mean the same at ``path``.

    Secrets from the old file's own folder become typed secrets again, so that saving writes them again; other
    relative paths become absolute if the folder changes.
    """
    values = _relocated_value(working.values, opened, path)
    default = opened.parent / License().bio
    if opened.parent != path.parent and not values.get("license", {}).get("bio") and default.exists():
        values = with_value(values, ["license", "bio"], default)
    return replace(working, values=values)


def _relocated_value(value: Any, opened: Path, path: Path) -> Any:
    match value:
        case Mapping():
            return {name: _relocated_value(one, opened, path) for name, one in value.items()}
        case list():
            return [_relocated_value(one, opened, path) for one in value]
        case SecretRef(kind="file"):
            return _relocated_secret(value, opened, path)
        case Path():
            return Path(_absolute_text(str(value), opened, path))
        case _:
            return value


def _relocated_secret(ref: SecretRef, opened: Path, path: Path) -> SecretRef:
    file = resolve_path(ref.where, opened.parent)
    if file.parent == typed_secrets_dir(opened):
        try:
            return SecretRef(kind="plain", where=file.read_text(encoding="utf-8").removesuffix("\n"))
        except (OSError, UnicodeDecodeError):
            pass  # the reference stays; the reader of the secret reports the problem
    return replace(ref, where=_absolute_text(ref.where, opened, path))


def _absolute_text(text: str, opened: Path, path: Path) -> str:
    if opened.parent == path.parent or text.startswith("~"):
        return text
    return str(opened.parent / text)
