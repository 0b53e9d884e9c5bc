"""Text helpers for every room: safe lines, plurals, sizes, times, plain parsing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_LINE = 200
"""Maximum length of a ``safe_line``, in characters."""
# Foreign text must not control the operator's terminal, turn its direction, or hide anything in it: escape
# sequences are removed; control, direction, zero-width and tag characters and lone surrogates are replaced.
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(\x07|\x1b\\)?|.)?")
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""A character that must not reach a terminal; a line end and a tab may."""


def strip_control(text: str) -> str:
    """Remove escape sequences and control characters; line ends and tabs stay."""
    if UNSAFE.search(text) is None:
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return UNSAFE.sub("\ufffd", _ESCAPES.sub("", text))


def without_control(text: str) -> str:
    """Remove what ``strip_control`` replaces, too: the letters that a reader sees."""
    return UNSAFE.sub("", _ESCAPES.sub("", text))


def one_line(text: str) -> str:
    """Strip control characters and join the lines; blanks stay, for a log's indentation."""
    return strip_control(text).replace("\n", " ").rstrip()


def single_line(text: object) -> str:
    """Return one uncut line of printable characters, blanks folded."""
    plain = _ESCAPES.sub("", str(text))
    if not plain.isprintable():
        plain = "".join(char if char.isprintable() else " " for char in plain)
    return " ".join(plain.split())


def safe_line(text: object, longest: int = LONGEST_LINE) -> str:
    """Return one line of printable characters, cut when too long: foreign text in a sentence."""
    line = single_line(text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def without_cut_word(text: str, longest: int) -> str:
    """Cut a text between words: a part of a secret would not be recognised as one."""
    if len(text) <= longest:
        return text
    head, blank, _ = text[: longest + 1].rpartition(" ")
    return f"{head if blank else ''}…"


def plural(amount: int, noun: str) -> str:
    """Return ``1 file`` or ``3 files``."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def join_and(words: Iterable[str], at_most: int | None = None) -> str:
    """Return a list for a sentence: ``a``, ``a and b``, ``a, b and c``.

    With ``at_most`` the rest is counted: ``a, b and 3 more``.
    """
    return _joined(words, "and", at_most)


def join_or(words: Iterable[str]) -> str:
    """Return a choice for a sentence: ``a``, ``a or b``, ``a, b or c``."""
    return _joined(words, "or", None)


def _joined(words: Iterable[str], conjunction: str, at_most: int | None) -> str:
    shown = list(words)
    if at_most is not None and len(shown) > at_most:
        shown = [*shown[:at_most], f"{len(shown) - at_most} more"]
    return f" {conjunction} ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def parse_fields(text: str) -> dict[str, str]:
    """Parse lines of ``key value``; the last line of a key counts."""
    pairs = (line.partition(" ") for line in text.splitlines() if line)
    return {key: value.strip() for key, _, value in pairs}


def parse_int(text: str) -> int | None:
    """Parse a whole number in ASCII digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() else None


def bytes_text(count: int) -> str:
    """Format bytes in decimal units, as networks and registries count: ``512 B``, ``3.4 MB``."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{count} B" if unit == "B" else f"{size:.{1 if size < 99.95 else 0}f} {unit}"


def format_kib(kib: int) -> str:
    """Format KiB in binary units, as memory and ``df`` count: ``512 MB``, ``7.6 GB``."""
    mib = kib / 1024
    if mib < 1000:
        return f"{mib:.0f} MB"
    return f"{mib / 1024:.1f} GB" if mib < 9.95 * 1024 else f"{mib / 1024:.0f} GB"


def seconds_text(seconds: float) -> str:
    """Format a duration: ``0.7 s``, ``34 s``, ``12 min 3 s``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s"


def clock_text(seconds: float) -> str:
    """Format a duration as a clock: ``1:12``, from one hour on ``1:02:03``."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
