"""Write to streams that may be closed or have a limited encoding."""

from __future__ import annotations

import os
import re
from io import TextIOBase
from typing import TextIO

from oz_installer.text import strip_control

COLOURS = re.compile(r"(\x1b\[(?:0|1|31|32|36)m)")
"""The codes that a coloured plan may hold."""


def write(stream: TextIO, text: str, *, coloured: bool = False) -> None:
    """Write and flush without control characters; ``coloured`` leaves the codes of ``COLOURS``.

    A closed stream is ignored: it must not end an installation.
    """
    if coloured:
        parts = COLOURS.split(text)  # text and codes in turn
        parts[::2] = map(strip_control, parts[::2])
        text = "".join(parts)
    else:
        text = strip_control(text)
    _write(stream, text)


def _write(stream: TextIO, text: str) -> None:
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
    """A stream for rich, which moves the cursor; a closed reader is ignored."""

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
        _write(self._stream, text)
        return len(text)
