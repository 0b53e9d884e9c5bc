"""Clean command output for display: drop Compose's progress, collapse repeated lines. Pure."""

from __future__ import annotations

import re

# Compose's progress, and its advice to remove the containers of the other Compose file, which would be wrong.
_PROGRESS = re.compile(
    r"""\s*(Container|Network|Volume|Image)\s\S+\s+
    (Creat|Start|Recreat|Stopp?|Remov|Restart|Pull|Wait|Kill)(e|ed|ing|s)?\s*$
    |\s*(Container|Network|Volume|Image)\s\S+\s+(Running|Healthy|Exited|Error)\s*$
    |.*Found\ orphan\ containers.*""",
    re.VERBOSE,
)
_GLUED = re.compile(r"(Container|Network|Volume) \S+  (?:\w+)\s+(?=Error|Container|Network|Volume)")
# The parts in which two log lines with the same message differ: times and ids.
_VARYING = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?\S*|\b[0-9a-f]{12,64}\b|\d+(\.\d+)?")
LONGEST = 500
LONGEST_LINE = 64 * 1024
"""Most bytes that are kept of a line that does not end."""


class LineSplitter:
    """Splits output that arrives in pieces into lines; of an endless line the last part stays."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """Take a piece; return the lines that it completes."""
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        return lines

    def end(self) -> bytes:
        """Return the last line, which has no line break."""
        rest, self._rest = self._rest, b""
        return rest


def drop_progress(text: str) -> str:
    """Return the lines that are not Compose's progress."""
    return "\n".join(line for line in text.splitlines() if not _PROGRESS.fullmatch(line))


def collapse_repeats(text: str) -> str:
    """Collapse consecutive lines that differ only in times, ids or numbers; add a count."""
    found: list[tuple[str, str, int]] = []
    for line in text.splitlines():
        shape = _VARYING.sub("#", line)
        if found and found[-1][0] == shape:
            found[-1] = (shape, line, found[-1][2] + 1)
        else:
            found.append((shape, line, 1))
    return "\n".join(line if times == 1 else f"({times} times) {line}" for _, line, times in found)


def last_lines(text: str, count: int = 3) -> str:
    """Return the last lines joined into one, for a headline."""
    lines = [line.strip() for line in drop_progress(text).splitlines() if line.strip()]
    return _GLUED.sub("", " ".join(lines[-count:]))[:LONGEST]


def beyond(headline: str, text: str) -> str:
    """Return the text, or nothing when the headline says all of it."""
    return "" if " ".join(text.split()) in " ".join(headline.split()) else text


def last_message(text: str) -> str:
    """Return the last message: the last unindented line and the indented lines after it."""
    lines = [line for line in drop_progress(text).splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if not line[:1].isspace()]
    return " ".join(" ".join(lines[starts[-1] :]).split())[:LONGEST] if starts else last_lines(text)
