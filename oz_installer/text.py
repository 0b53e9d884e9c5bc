"""Text helpers that every room may use: safe lines, plurals, sizes, times, plain parsing. Pure."""

from __future__ import annotations

import re

LONGEST_LINE = 200
"""Characters after which ``safe_line`` cuts."""
# What a node says must not steer the operator's terminal: escape sequences go, controls and marks of
# direction are replaced.
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def strip_control(text: str) -> str:
    """The text without escape sequences and control characters; line ends and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("\ufffd", _ESCAPES.sub("", text))


def one_line(text: str) -> str:
    """The same on one line, blanks kept: the indentation of a log line says something."""
    return strip_control(text).replace("\n", " ").rstrip()


def single_line(text: object) -> str:
    """One line of printable characters, blanks folded, whole."""
    plain = _ESCAPES.sub("", str(text))
    if not plain.isprintable():
        plain = "".join(char if char.isprintable() else " " for char in plain)
    return " ".join(plain.split())


def safe_line(text: object, longest: int = LONGEST_LINE) -> str:
    """One line of printable characters, cut where it is too long: foreign text within a sentence."""
    line = single_line(text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def plural(amount: int, noun: str) -> str:
    """``1 file``, ``3 files``."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def parse_fields(text: str) -> dict[str, str]:
    """Lines of ``key value`` as a mapping; the last one of a key counts."""
    pairs = (line.partition(" ") for line in text.splitlines() if line)
    return {key: value.strip() for key, _, value in pairs}


def parse_int(text: str) -> int | None:
    """A whole number in ASCII digits; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() else None


def bytes_text(count: int) -> str:
    """Bytes in decimal units, as networks and registries count: ``512 B``, ``3.4 MB``."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{count} B" if unit == "B" else f"{size:.{1 if size < 99.95 else 0}f} {unit}"


def format_kib(kib: int) -> str:
    """KiB in binary units, as memory and ``df`` count: ``512 MB``, ``7.6 GB``, ``31 GB``."""
    mib = kib / 1024
    if mib < 1000:
        return f"{mib:.0f} MB"
    return f"{mib / 1024:.1f} GB" if mib < 9.95 * 1024 else f"{mib / 1024:.0f} GB"


def seconds_text(seconds: float) -> str:
    """``0.7 s``, ``34 s``, ``12 min 3 s``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s"


def clock_text(seconds: float) -> str:
    """``1:12`` and, from an hour on, ``1:02:03``."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
