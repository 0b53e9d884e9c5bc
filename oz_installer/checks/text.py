"""What a node said, as it may stand in a finding; sizes in words."""

from __future__ import annotations

import re

LONGEST = 200
TIMED_OUT = (124, 143)
"""How ``timeout`` ends when the time is out: that of coreutils, that of busybox."""
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?")


def safe_line(text: object, longest: int = LONGEST) -> str:
    """One line without control characters and escape sequences, cut where it is too long."""
    plain = "".join(char if char.isprintable() else " " for char in _ESCAPES.sub("", str(text)))
    line = " ".join(plain.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def parse_fields(text: str) -> dict[str, str]:
    """Lines of ``key value`` as a mapping; the last one of a key counts."""
    pairs = (line.partition(" ") for line in text.splitlines() if line)
    return {key: value.strip() for key, _, value in pairs}


def parse_int(text: str) -> int | None:
    """A whole number; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() else None


def format_kib(kib: int) -> str:
    """KiB as an operator reads it: ``512 MB``, ``7.6 GB``, ``31 GB``."""
    mib = kib / 1024
    if mib < 1000:
        return f"{mib:.0f} MB"
    return f"{mib / 1024:.1f} GB" if mib < 9.95 * 1024 else f"{mib / 1024:.0f} GB"


def plural(amount: int, noun: str) -> str:
    """``1 core``, ``2 cores``."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
