"""Licence files on this machine: read whole, or what is wrong with them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from oz_installer.answers.local_files import UnreadableFile, read_file

LARGEST = 1024 * 1024
"""No licence is larger, in bytes."""


def read_licence(file: Path) -> bytes:
    """Its content. Raises Unreadable."""
    content = read_file(file, LARGEST + 1)
    if len(content) > LARGEST:
        raise UnreadableFile("is larger than 1 MB, which no licence is")
    return content


def json_error(content: bytes) -> str:
    """Why it is no JSON, which the web adapter reads; empty when it is."""
    try:
        json.loads(content)
    except json.JSONDecodeError as error:
        return f"is not JSON: {error.msg} in line {error.lineno}"
    except UnicodeDecodeError:
        return "is not JSON: it is not text"
    return ""


def is_world_readable(file: Path) -> bool:
    """Whether every login of this machine may read it: the file, and all folders on the way."""
    try:
        whole = file.resolve()
        return bool(whole.stat().st_mode & stat.S_IROTH) and all(
            folder.stat().st_mode & stat.S_IXOTH for folder in whole.parents
        )
    except OSError:
        return False
