"""A YAML document as it stands in the file: texts, lists and mappings with their line numbers.

Scalars stay texts, so that ``release: 5.10`` is not silently 5.1; the question decides what they become.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Look = Literal["text", "null", "boolean", "integer", "number", "odd"]

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(
    r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?"
)
# What some YAML reader takes for something else than text: 1_000, 0x1F, 017, 12:30:45, .inf, dates, << and =
_ODD = re.compile(
    r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[-+]?0[xob]?[0-9a-fA-F_]+|[-+]?[0-9][0-9_,]*(?:\.[0-9_]*)?"
    r"|[-+]?\.(?:inf|nan)|\d{4}-\d\d?-\d\d?(?:[Tt\s].*)?|<<|=",
    re.IGNORECASE | re.DOTALL,
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_ODD_WORDS = frozenset({"yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text; ``plain`` when it stands without quotes. ``line`` counts from 1."""

    text: str
    plain: bool
    line: int

    @property
    def look(self) -> Look:
        """What YAML readers take it for; ``odd`` when they disagree or it is a date or the like."""
        return look(self.text) if self.plain else "text"


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    items: list[Tree] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and the line of its key."""

    line: int
    plain: bool
    value: Tree


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values; a key stands once."""

    line: int
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands where the file holds something refused that was already told."""

    line: int


Tree = Scalar | Items | Mapping | Broken


def look(text: str) -> Look:
    """What YAML readers take an unquoted text for."""
    if text in _NULLS:
        return "null"
    if text in _BOOLEANS:
        return "boolean"
    if _INTEGER.fullmatch(text):
        return "integer"
    if _NUMBER.fullmatch(text):
        return "number"
    return "odd" if _ODD.fullmatch(text) or text.lower() in _ODD_WORDS else "text"
