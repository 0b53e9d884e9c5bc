"""A ``dataclass`` for frozen, keyword-only classes that compiles nothing at import.

The standard one writes and compiles six methods for each class, a quarter of the processor time of a run with
nothing to do. Here all classes share them; ``dataclasses.fields``, ``replace`` and ``asdict`` work as usual.
Type checkers see the standard decorator.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, kw_only: bool) -> Any:
        """Make a frozen dataclass whose ``__init__`` takes keywords; both flags must be set."""
        if not (frozen and kw_only):
            raise TypeError("for a dataclass of another kind use dataclasses.dataclass")
        return _decorate


__all__ = ["dataclass"]


class _Spec(NamedTuple):
    names: frozenset[str]
    required: frozenset[str]
    defaults: dict[str, Any]
    factories: tuple[tuple[str, Any], ...]
    compared: tuple[str, ...]
    shown: tuple[str, ...]
    finish: bool


_LOCK = threading.RLock()


class _LazyFields:
    """Stand-in for ``__dataclass_fields__``, replaced when it is first asked for."""

    def __get__(self, _instance: object, cls: type) -> Any:
        with _LOCK:
            owner = next(one for one in cls.__mro__ if "__dataclass_fields__" in vars(one))
            if vars(owner)["__dataclass_fields__"] is self:
                dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=True)(owner)
            return vars(owner)["__dataclass_fields__"]


def _decorate(cls: type) -> type:
    own = vars(cls)
    for name, method in _METHODS:
        if name not in own or (name == "__hash__" and own[name] is None):
            setattr(cls, name, method)
    cls.__dataclass_fields__ = _LazyFields()  # type: ignore[attr-defined]
    return cls


def _spec_of(cls: type) -> _Spec:
    """Return the fields of a class as its methods need them, worked out at their first use."""
    spec: _Spec | None = vars(cls).get("_frozen_spec")
    if spec is None:
        found = dataclasses.fields(cls)
        missing = dataclasses.MISSING
        defaults = {one.name: one.default for one in found if one.default is not missing}
        factories = tuple(
            (one.name, one.default_factory) for one in found if one.default_factory is not missing
        )
        names = frozenset(one.name for one in found)
        spec = _Spec(
            names=names,
            required=names - defaults.keys() - {name for name, _ in factories},
            defaults=defaults,
            factories=factories,
            compared=tuple(one.name for one in found if one.compare),
            shown=tuple(one.name for one in found if one.repr),
            finish=hasattr(cls, "__post_init__"),
        )
        type.__setattr__(cls, "_frozen_spec", spec)
    return spec


def _init(self: Any, /, **given: Any) -> None:
    spec = _spec_of(type(self))
    if not (spec.required <= given.keys() <= spec.names):
        _refuse(type(self), spec, given)
    values = self.__dict__
    values.update(spec.defaults)
    for name, factory in spec.factories:
        if name not in given:
            values[name] = factory()
    values.update(given)
    if spec.finish:
        self.__post_init__()


def _refuse(cls: type, spec: _Spec, given: dict[str, Any]) -> None:
    if unknown := sorted(given.keys() - spec.names):
        raise TypeError(f"{cls.__name__}.__init__() got an unexpected keyword argument {unknown[0]!r}")
    lacking = ", ".join(repr(name) for name in sorted(spec.required - given.keys()))
    raise TypeError(f"{cls.__name__}.__init__() lacks the keyword arguments {lacking}")


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in _spec_of(type(self)).compared)


def _repr(self: Any) -> str:
    cls = type(self)
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _spec_of(cls).shown)
    return f"{cls.__qualname__}({shown})"


def _eq(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _setattr(_self: Any, name: str, _value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


_METHODS = (
    ("__init__", _init),
    ("__repr__", _repr),
    ("__eq__", _eq),
    ("__hash__", _hash),
    ("__setattr__", _setattr),
    ("__delattr__", _delattr),
)
