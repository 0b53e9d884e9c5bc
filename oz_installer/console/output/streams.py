"""Writing to a stream that may be gone, or that knows few letters."""

from __future__ import annotations

import os
from io import TextIOBase
from typing import TextIO


def write(stream: TextIO, text: str) -> None:
    """Write and flush. A reader that went away must not end an installation, so that is passed over."""
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
    """Whether the stream's encoding has the box drawing characters and arrows that we use."""
    try:
        "│─┌┐└┘├┤┬┴▶▼━╸…".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_interactive(stream: TextIO) -> bool:
    """Whether a person can be asked there; the terminal may be a plain one (TERM=dumb)."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at a terminal that can move its cursor: what is needed for drawing."""
    return is_interactive(stream) and os.environ.get("TERM", "") not in ("", "dumb")


def colours(stream: TextIO) -> bool:
    """Whether colours may be used: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


class BrokenPipeSafe(TextIOBase):
    """A stream for rich that passes over a reader that went away."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The real stream's."""
        return self._stream.encoding or "ascii"

    def isatty(self) -> bool:
        """The real stream's."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The real stream's; OSError when it has none."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write, or pass over."""
        write(self._stream, text)
        return len(text)
