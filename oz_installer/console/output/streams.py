"""Write to streams that may be closed or have a limited encoding."""

from __future__ import annotations

import os
from io import TextIOBase
from typing import TextIO


def write(stream: TextIO, text: str) -> None:
    """Write and flush. A closed stream is ignored: it must not end an installation."""
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError as error:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(error.encoding or encoding, "replace").decode(encoding))
        stream.flush()
    except (OSError, ValueError):
        return


def draws_boxes(stream: TextIO) -> bool:
    """Return whether the stream's encoding has the box drawing characters and arrows in use."""
    try:
        "│─┌┐└┘├┤┬┴▶▼━╸…".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_interactive(stream: TextIO) -> bool:
    """Return whether the stream is a terminal, maybe without cursor control (TERM=dumb)."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def is_terminal(stream: TextIO) -> bool:
    """Return whether the stream is a terminal with cursor control, as drawing needs."""
    return is_interactive(stream) and os.environ.get("TERM", "") not in ("", "dumb")


def colours(stream: TextIO) -> bool:
    """Return whether to use colours: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


class BrokenPipeSafe(TextIOBase):
    """A stream for rich that ignores a closed reader."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Delegate to the real stream."""
        return self._stream.encoding or "ascii"

    def isatty(self) -> bool:
        """Delegate to the real stream."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Delegate to the real stream. Raises OSError when it has none."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write, or ignore a closed stream."""
        write(self._stream, text)
        return len(text)
