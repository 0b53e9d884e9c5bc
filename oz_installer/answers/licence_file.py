"""Read and check licence files on this machine."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from oz_installer.answers.local_files import UnreadableFile, read_file

LARGEST = 1024 * 1024
"""Maximum size of a licence, in bytes."""


def read_licence(file: Path) -> bytes:
    """Return the content of a licence. Raises UnreadableFile."""
    content = read_file(file, LARGEST + 1)
    if len(content) > LARGEST:
        raise UnreadableFile("is larger than 1 MB, so it is not a licence")
    return content


def json_error(content: bytes) -> str:
    """Return why the content is not JSON, which the web adapter needs; empty when it is."""
    try:
        json.loads(content)
    except json.JSONDecodeError as error:
        return f"is not JSON: {error.msg} in line {error.lineno}"
    except UnicodeDecodeError:
        return "is not JSON: it is not UTF-8 text"
    return ""


def is_world_readable(file: Path) -> bool:
    """Return whether mode and parent folders let every user of this machine read the file."""
    try:
        whole = file.resolve()
        return bool(whole.stat().st_mode & stat.S_IROTH) and all(
            folder.stat().st_mode & stat.S_IXOTH for folder in whole.parents
        )
    except OSError:
        return False
