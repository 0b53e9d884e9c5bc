"""Decode plain YAML to frozen dataclasses by their type hints; errors name the location."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints


def decode(kind: Any, value: Any, where: str) -> Any:
    """Convert ``value`` (plain YAML) to ``kind``. Raises ValueError that starts with ``where``."""
    origin = get_origin(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{where}: should be a list, not {value!r}")
        return tuple(decode(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise ValueError(f"{where}: should be a mapping, not {value!r}")
        of_key, of_item = get_args(kind)
        return {
            decode(of_key, key, where): decode(of_item, item, f"{where}.{key}") for key, item in value.items()
        }
    if origin is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{where}: {value!r} is not one of {', '.join(get_args(kind))}")
        return value
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        return _build_dataclass(kind, value, where)
    if type(None) in get_args(kind):
        inner = next(arg for arg in get_args(kind) if arg is not type(None))
        return None if value is None else decode(inner, value, where)
    return _scalar(kind, value, where)


_SCALARS = {str: "text (in quotes)", int: "a whole number", bool: "true or false", float: "a number"}


def _scalar(kind: Any, value: Any, where: str) -> Any:
    """Check the type of a scalar: YAML reads 4.10 without quotes as a number, yes as true."""
    if kind in _SCALARS and type(value) is not kind:
        raise ValueError(f"{where}: should be {_SCALARS[kind]}, not {value!r}")
    return value


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _build_dataclass(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: should be a mapping, not {value!r}")
    hints = _hints(kind)
    if unknown := sorted(set(value) - set(hints)):
        raise ValueError(f"{where}: unknown {', '.join(unknown)}")
    label = value.get("name", "")
    inside = {key: decode(hints[key], item, f"{where}.{label}.{key}") for key, item in value.items()}
    return kind(**inside)
