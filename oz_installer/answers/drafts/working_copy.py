"""Answers while they are edited: any file's, complete or not; every change makes a new one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from oz_installer.answers.dotted_keys import (
    UnparsedText,
    Values,
    map_plain_secrets,
    split_key,
    with_value,
    without_value,
)
from oz_installer.answers.file import ParsedFile
from oz_installer.answers.form_text import parse_form_text
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import question, root
from oz_installer.answers.validation import ValidatedRows, Validator
from oz_installer.answers.yaml.convert import InvalidValue
from oz_installer.answers.yaml.reader import build_section
from oz_installer.answers.yaml.writer import dumps_values
from oz_installer.errors import Problem
from oz_installer.secret import MASK

_NODE = re.compile(r"nodes\[(\d+)\]")
_OWN = frozenset({"name", "host", "address", "host_key"})
"""What no two nodes share: a copied node is asked for them again."""


@dataclass(frozen=True, kw_only=True)
class WorkingCopy:
    """``values`` are nested by section as in ``Draft.values``; ``texts`` holds, by dotted key, what was typed
    and is no answer yet, never of a secret. ``missing_secrets`` are keys of secrets that must be typed again;
    ``lost`` tells what of the file no field can show. ``_rows`` only saves time: what is known of the
    rows that these answers share with those that they were made from.
    """

    values: Values = field(repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    missing_secrets: tuple[str, ...] = ()
    lost: tuple[Problem, ...] = ()
    _rows: ValidatedRows = field(default_factory=ValidatedRows, repr=False, compare=False)

    @staticmethod
    def new() -> WorkingCopy:
        """No answers yet."""
        return WorkingCopy(values={"version": 1})

    @staticmethod
    def of(draft: ParsedFile) -> WorkingCopy:
        """A file's answers, complete or not. What can be meant in one way only is taken (``port: "22"``)."""
        made = WorkingCopy(values=draft.values, lost=draft.lost)
        for key in draft.nulls:
            made = made._set(key, question(key).default)
        for key, text in draft.refused.items():
            made = made._set(key, None)
            made = made.with_text(key, text) if text else made.as_required(key)
        return replace(made, missing_secrets=draft.refused_secrets)

    def get(self, key: str) -> Any:
        """The value of a key, else (of what is typed wrong, too) the question's default.

        Raises KeyError when there is no such question.
        """
        default = question(key).default
        found = self._find(split_key(key))
        return default if found is _NOTHING else found

    def is_given(self, key: str) -> bool:
        """Does the file (or the form) say something of it, right or wrong? Sections have keys, too."""
        return key in self.texts or self._find(split_key(key)) is not _NOTHING

    def is_omitted(self, key: str) -> bool:
        """Whether this is a question that neither the file nor the form says anything of."""
        try:
            question(key)
        except KeyError:
            return False
        return not self.is_given(key)

    def with_text(self, key: str, text: str) -> WorkingCopy:
        """What a form's input says now; emptied means left out. A wrong secret is kept as one, and told."""
        asked = question(key)
        if not (text if asked.kind == "secret" else text.strip()):
            return self.without(key)
        try:
            value = parse_form_text(asked, text)
        except InvalidValue:
            if asked.kind == "secret":
                return self.with_value(key, SecretRef(kind="plain", where=text))
            cleared = self.without(key)
            return replace(cleared, texts={**cleared.texts, key: text})
        return self.with_value(key, value)

    def with_value(self, key: str, value: Any) -> WorkingCopy:
        """A value of the right type. A default is written only where something stood before."""
        asked = question(key)
        if value is None and not asked.nullable:
            return self.without(key)
        if value == asked.default and not asked.required and self._find(split_key(key)) is _NOTHING:
            return self._forget(key)
        return self._forget(key)._set(key, value)

    def as_required(self, key: str) -> WorkingCopy:
        """An optional question that a choice makes a needed one: it is missing until it is answered."""
        cleared = self.without(key)
        return replace(cleared, texts={**cleared.texts, key: ""})

    def without(self, key: str) -> WorkingCopy:
        """The question left out: its default holds again."""
        question(key)
        made = self._forget(key)
        parts = split_key(key)
        if made._find(parts) is _NOTHING:
            return made
        return replace(made, values=without_value(made.values, parts))

    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.values.get("nodes", ()))

    def add_node(self, values: Values | None = None) -> WorkingCopy:
        """One more node at the end."""
        return self._with_nodes([*range(self.nodes()), None], dict(values or {}))

    def copy_node(self, index: int) -> WorkingCopy:
        """The same node again, behind it, with a name of its own; what is one server's only is left out."""
        row = self._row(index)
        copy = {name: value for name, value in row.items() if name not in _OWN}
        taken = {other.get("name") for other in self.values["nodes"]}
        if name := row.get("name"):
            copy = {"name": _free(name, taken), **copy}
        made = self._with_nodes([*range(index + 1), None, *range(index + 1, self.nodes())], copy)
        prefix = f"nodes[{index}]."
        texts = {
            f"nodes[{index + 1}].{key.removeprefix(prefix)}": text
            for key, text in self.texts.items()
            if key.startswith(prefix) and key.removeprefix(prefix) not in _OWN
        }
        return replace(made, texts={**made.texts, **texts})

    def remove_node(self, index: int) -> WorkingCopy:
        """Without this node."""
        self._row(index)
        return self._with_nodes([other for other in range(self.nodes()) if other != index])

    def move_node(self, index: int, by: int) -> WorkingCopy:
        """The node so many places further down (up when negative), as far as there are places."""
        self._row(index)
        order = [other for other in range(self.nodes()) if other != index]
        order.insert(min(max(index + by, 0), len(order)), index)
        return self._with_nodes(order)

    def problem(self, key: str) -> str | None:
        """What is wrong with one field now: ``problem; what would be right``."""
        found = self._by_key.get(key)
        return None if found is None else f"{found.message}; {found.hint}" if found.hint else found.message

    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong or missing, in file order."""
        return self._problems

    def answers(self) -> Answers | None:
        """The answers; None while a field is missing or wrong."""
        if self._problems:
            return None
        made: Answers = build_section(root(), self.values)
        return made

    def yaml(self, *, without_plain_secrets: bool = True, masked: bool = False) -> str:
        """The text of answers.yml, what is no answer yet included; ``masked`` shows where secrets are."""
        values = self.values_and_texts()
        if masked:
            return dumps_values(
                map_plain_secrets(values, lambda _key, _ref: SecretRef(kind="plain", where=MASK))
            )
        return dumps_values(values, without_plain_secrets=without_plain_secrets)

    def values_and_texts(self) -> Values:
        """The values, and in their places the texts that are no answers."""
        values = self.values
        for key, text in self.texts.items():
            values = with_value(
                values, split_key(key), UnparsedText(text.encode("utf-8", "replace").decode())
            )
        return values

    @cached_property
    def _problems(self) -> tuple[Problem, ...]:
        return Validator(texts=self.texts, retype=self.missing_secrets, rows=self._rows).problems(self.values)

    @cached_property
    def _by_key(self) -> Mapping[str, Problem]:
        return {problem.key: problem for problem in reversed(self._problems)}

    def _find(self, parts: Iterable[str | int]) -> Any:
        found: Any = self.values
        for part in parts:
            if isinstance(part, int):
                if part >= len(found):
                    return _NOTHING
            elif part not in found:
                return _NOTHING
            found = found[part]
        return found

    def _row(self, index: int) -> Values:
        if not 0 <= index < self.nodes():
            raise IndexError(f"there is no node {index}")
        row: Values = self.values["nodes"][index]
        return row

    def _set(self, key: str, value: Any) -> WorkingCopy:
        return replace(self, values=with_value(self.values, split_key(key), value))

    def _forget(self, key: str) -> WorkingCopy:
        """Without the text and the wish to type a secret again."""
        if key not in self.texts and key not in self.missing_secrets:
            return self
        texts = {other: text for other, text in self.texts.items() if other != key}
        missing = tuple(other for other in self.missing_secrets if other != key)
        return replace(self, texts=texts, missing_secrets=missing)

    def _with_nodes(self, order: Sequence[int | None], new: Values | None = None) -> WorkingCopy:
        """The nodes in another order, by their old places; ``new`` stands where None is."""
        rows = self.values.get("nodes", ())
        placed = [new if old is None else rows[old] for old in order]
        moved = {old: place for place, old in enumerate(order) if old is not None}
        texts = {there: text for key, text in self.texts.items() if (there := _moved(key, moved))}
        missing = tuple(there for key in self.missing_secrets if (there := _moved(key, moved)))
        return replace(self, values={**self.values, "nodes": placed}, texts=texts, missing_secrets=missing)


_NOTHING = object()


def _moved(key: str, moved: Mapping[int, int]) -> str | None:
    """The key after its node has another place; None when the node is gone."""
    if not (found := _NODE.match(key)):
        return key
    place = moved.get(int(found[1]))
    return None if place is None else f"nodes[{place}]{key[found.end() :]}"


def _free(name: str, taken: Collection[Any]) -> str:
    """The next name that no node has: api1 -> api2."""
    stem = re.sub(r"\d+$", "", name)[:28]
    number = int(name[len(stem) :] or 1) if name[len(stem) :].isdigit() else 1
    while f"{stem}{number}" in taken or f"{stem}{number}" == name:
        number += 1
    return f"{stem}{number}"
