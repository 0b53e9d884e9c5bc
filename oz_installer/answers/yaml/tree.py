"""The tree of a YAML document: scalars, lists and mappings with their line numbers.

Scalars stay texts, so that ``release: 5.10`` does not silently become 5.1; the question decides their type.
Plain classes: a dataclass costs a millisecond of start-up.
"""

from __future__ import annotations

import json
import re
from typing import Literal

YamlType = Literal["text", "null", "boolean", "integer", "number", "odd"]

_INTEGER = r"[-+]?(?:0|[1-9][0-9]*)"
_NUMBER = r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?"
# Texts that some YAML readers convert: 12:30:45, 0x1F and 017, 1_000, .inf, dates, << and =
_ODD = (
    r"(?is)[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[-+]?0[xob]?[0-9a-f_]+|[-+]?[0-9][0-9_,]*(?:\.[0-9_]*)?"
    r"|[-+]?\.(?:inf|nan)|\d{4}-\d\d?-\d\d?(?:[t\s].*)?|<<|="
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_ODD_WORDS = frozenset({"yes", "no", "on", "off", "y", "n"})


class Scalar:
    """A text; ``plain``: written without quotes. ``line`` and ``last`` count from 1."""

    __slots__ = ("last", "line", "plain", "text")

    def __init__(self, text: str, plain: bool, line: int) -> None:
        self.text = text
        self.plain = plain
        self.line = self.last = line

    @property
    def yaml_type(self) -> YamlType:
        """The type that YAML readers give it; ``odd`` when they disagree, or for dates and the like."""
        return scalar_type(self.text) if self.plain else "text"


class ListNode:
    """A list; ``flow``: written as ``[...]``."""

    __slots__ = ("flow", "items", "last", "line")

    def __init__(self, line: int) -> None:
        self.line = self.last = line
        self.flow = False
        self.items: list[Tree] = []


class Entry:
    """A value of a mapping; ``line`` of its key, ``plain``: the key is written without quotes."""

    __slots__ = ("line", "plain", "value")

    def __init__(self, line: int, plain: bool, value: Tree) -> None:
        self.line = line
        self.plain = plain
        self.value = value


class MapNode:
    """A mapping with unique keys; ``flow``: written as ``{...}``."""

    __slots__ = ("entries", "flow", "last", "line")

    def __init__(self, line: int) -> None:
        self.line = self.last = line
        self.flow = False
        self.entries: dict[str, Entry] = {}


class InvalidNode:
    """A placeholder for a rejected value whose problem is already reported."""

    __slots__ = ("last", "line")

    def __init__(self, line: int) -> None:
        self.line = self.last = line


Tree = Scalar | ListNode | MapNode | InvalidNode


def scalar_type(text: str) -> YamlType:
    """Return the type that YAML readers give an unquoted text."""
    if text in _NULLS:
        return "null"
    if text in _BOOLEANS:
        return "boolean"
    if re.fullmatch(_INTEGER, text):
        return "integer"
    if re.fullmatch(_NUMBER, text):
        return "number"
    return "odd" if re.fullmatch(_ODD, text) or text.lower() in _ODD_WORDS else "text"


def flow_text(tree: Tree) -> str:
    """Return the tree as one line of YAML; invalid nodes are left empty."""
    if isinstance(tree, ListNode):
        return f"[{', '.join(flow_text(item) for item in tree.items)}]"
    if isinstance(tree, MapNode):
        inside = (
            f"{_word(key, entry.plain)}: {flow_text(entry.value)}" for key, entry in tree.entries.items()
        )
        return f"{{{', '.join(inside)}}}"
    return _word(tree.text, tree.plain) if isinstance(tree, Scalar) else ""


def _word(text: str, plain: bool) -> str:
    """Return a scalar, in quotes where it had them or where flow style needs them."""
    if plain and re.fullmatch(r"[A-Za-z0-9_./+-][A-Za-z0-9_./@+: -]*", text) and ": " not in f"{text} ":
        return text
    return json.dumps(text, ensure_ascii=False)
