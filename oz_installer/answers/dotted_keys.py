"""Read and change values nested by section, by dotted key; changes return copies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from oz_installer.answers.model import SecretRef

DottedValues = Mapping[str, Any]


class UnparsedText(str):
    """A typed text that is no valid answer; unequal to the same text as an answer."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is UnparsedText and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


_PART = re.compile(r"[^.\[\]]+")


def split_key(key: str) -> list[str | int]:
    """Split ``nodes[1].host`` into ``nodes``, 1, ``host``."""
    return [int(part) if part.isdigit() else part for part in _PART.findall(key)]


def with_value(values: Any, parts: list[str | int], value: Any) -> Any:
    """Return a copy with the value set at the key."""
    if not parts:
        return value
    first, rest = parts[0], parts[1:]
    if isinstance(first, int):
        rows = list(values)
        rows[first] = with_value(rows[first], rest, value)
        return rows
    return {**values, first: with_value(values.get(first, {}), rest, value)}


def without_value(values: Any, parts: list[str | int]) -> Any:
    """Return a copy without the value at the key; a section that becomes empty is removed too."""
    first, rest = parts[0], parts[1:]
    if isinstance(first, int):
        rows = list(values)
        rows[first] = without_value(rows[first], rest)
        return rows
    inside = without_value(values[first], rest) if rest else None
    if inside:
        return {**values, first: inside}
    return {name: value for name, value in values.items() if name != first}


def plain_secrets(values: Any, key: str = "") -> Iterator[tuple[str, SecretRef]]:
    """Yield the plain secrets of the values with their dotted keys, in order."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from plain_secrets(value, f"{key}.{name}".lstrip("."))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from plain_secrets(value, f"{key}[{index}]")
    elif isinstance(values, SecretRef) and values.kind == "plain":
        yield key, values


def map_plain_secrets(values: DottedValues, change: Callable[[str, SecretRef], SecretRef]) -> DottedValues:
    """Return a copy with each plain secret replaced by ``change(dotted key, secret)``."""
    made = values
    for key, ref in plain_secrets(values):
        made = with_value(made, split_key(key), change(key, ref))
    return made
