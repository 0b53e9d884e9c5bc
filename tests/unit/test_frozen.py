"""The frozen dataclass that compiles nothing does what the standard one does."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from oz_installer.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class Ours:
    name: str
    size: int = 3
    parts: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list, compare=False)
    secret: str = field(default="", repr=False)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standard:
    name: str
    size: int = 3
    parts: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list, compare=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Derived(Ours):
    size: int = 7
    more: bool = True


class Plain(Ours):
    """No dataclass of its own."""


@dataclass(frozen=True, kw_only=True)
class Careful:
    value: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", self.value.strip())

    def __repr__(self) -> str:
        return "hidden"


GIVEN: list[dict[str, Any]] = [
    {"name": "a"},
    {"name": "a", "size": 4, "parts": ("x",)},
    {"name": "a", "notes": ["n"], "secret": "s"},
]


@pytest.mark.parametrize("given", GIVEN)
def test_it_equals_the_standard_one(given: dict[str, Any]) -> None:
    ours, standard = Ours(**given), Standard(**given)
    assert dataclasses.asdict(ours) == dataclasses.asdict(standard)
    assert repr(ours) == repr(standard).replace("Standard", "Ours")
    assert hash(ours) == hash(standard)
    assert vars(ours) == vars(standard)
    changed = dataclasses.replace(ours, size=9)
    assert dataclasses.asdict(changed) == dataclasses.asdict(dataclasses.replace(standard, size=9))
    assert copy.deepcopy(ours) == pickle.loads(pickle.dumps(ours)) == ours  # noqa: S301
    assert [one.name for one in dataclasses.fields(Ours)] == [
        one.name for one in dataclasses.fields(Standard)
    ]


def test_equality_is_of_one_class_and_leaves_out_what_is_not_compared() -> None:
    assert Ours(name="a", notes=["x"]) == Ours(name="a")
    assert Ours(name="a") != Ours(name="b")
    assert Ours(name="a") != Plain(name="a")
    assert Ours(name="a").notes is not Ours(name="a").notes


@pytest.mark.parametrize("given", [{}, {"name": "a", "colour": 1}, {"size": 1}])
def test_keywords_that_lack_or_are_unknown_are_refused(given: dict[str, Any]) -> None:
    for kind in (Ours, Standard):
        with pytest.raises(TypeError, match=r"colour|name"):
            kind(**given)


def test_nothing_can_be_assigned_or_deleted() -> None:
    one: Any = Ours(name="a")
    with pytest.raises(FrozenInstanceError):
        one.name = "b"
    with pytest.raises(FrozenInstanceError):
        del one.name


def test_subclasses_keep_the_order_and_take_other_defaults() -> None:
    one = Derived(name="a")
    assert repr(one) == "Derived(name='a', size=7, parts=(), notes=[], more=True)"
    assert isinstance(one, Ours)
    assert Plain(name="a").size == 3


def test_what_a_class_defines_itself_stays() -> None:
    one = Careful(value=" x ")
    assert one.value == "x"
    assert repr(one) == "hidden"
    assert one == Careful(value="x")


def test_other_kinds_of_dataclass_are_refused() -> None:
    with pytest.raises(TypeError, match="another kind"):
        dataclass(frozen=False, kw_only=True)


def test_fields_are_worked_out_at_their_first_use() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Late:
        parts: list[str] = field(default_factory=list)

    @dataclass(frozen=True, kw_only=True)
    class Later(Late):
        name: str = "n"

    assert type(vars(Late)["__dataclass_fields__"]).__name__ == "_LazyFields"
    assert dataclasses.is_dataclass(Later)
    assert Later() == Later(parts=[], name="n")
    assert type(vars(Late)["__dataclass_fields__"]) is dict
    assert Late().parts is not Late().parts
