"""Immutable answers for editing, complete or not; every change returns a new copy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from oz_installer.answers.dotted_keys import (
    DottedValues,
    UnparsedText,
    map_plain_secrets,
    split_key,
    with_value,
    without_value,
)
from oz_installer.answers.file import LoadedAnswers, ParsedFile
from oz_installer.answers.form_text import parse_form_text
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import question, root
from oz_installer.answers.validation import ValidatedRows, Validator
from oz_installer.answers.yaml.convert import InvalidValue
from oz_installer.answers.yaml.parser import parse_error
from oz_installer.answers.yaml.reader import build_section
from oz_installer.answers.yaml.writer import dumps_values
from oz_installer.errors import Problem
from oz_installer.secret import MASK

_NODE = re.compile(r"nodes\[(\d+)\]")
_OWN = frozenset({"name", "host", "address", "host_key"})
"""Values that differ between nodes: copying a node leaves them out."""


@dataclass(frozen=True, kw_only=True)
class WorkingCopy:
    """Answers that are being edited, with their problems.

    ``values`` are nested by section as in ``ParsedFile.values``; ``texts`` has the typed texts that are no
    valid answers, by dotted key, never those of secrets. ``missing_secrets`` are the keys of secrets to type
    again; ``lost`` are the problems of lines that no field can show. ``_rows`` is a cache, shared with the
    copies that these answers were made from.
    """

    values: DottedValues = field(repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    missing_secrets: tuple[str, ...] = ()
    lost: tuple[Problem, ...] = ()
    _rows: ValidatedRows = field(default_factory=ValidatedRows, repr=False, compare=False)

    @staticmethod
    def new() -> WorkingCopy:
        """Return a copy without answers."""
        return WorkingCopy(values={"version": 1})

    @staticmethod
    def of(draft: ParsedFile) -> WorkingCopy:
        """Return the answers of a file, complete or not.

        An invalid value with one possible meaning (``port: "22"``) is converted.
        """
        made = WorkingCopy(values=draft.values, lost=draft.lost)
        for key in draft.nulls:
            made = made._set(key, question(key).default)
        for key, text in draft.refused.items():
            made = made._set(key, None)
            made = made.with_text(key, text) if text else made.as_required(key)
        return replace(made, missing_secrets=draft.refused_secrets)

    def get(self, key: str) -> Any:
        """Return the value of a key, or the question's default when it is missing or invalid.

        Raises KeyError when there is no such question.
        """
        default = question(key).default
        found = self._find(split_key(key))
        return default if found is _MISSING else found

    def is_given(self, key: str) -> bool:
        """Return whether the file or the form holds a value for this key, valid or not.

        The key may be that of a section.
        """
        return key in self.texts or self._find(split_key(key)) is not _MISSING

    def is_omitted(self, key: str) -> bool:
        """Return whether the key is a question without a value in the file or the form."""
        try:
            question(key)
        except KeyError:
            return False
        return not self.is_given(key)

    def with_text(self, key: str, text: str) -> WorkingCopy:
        """Return a copy with the text of a form's field; an empty text leaves the question out.

        An invalid secret is kept as a secret and reported as a problem.
        """
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
        """Return a copy with a value of the right type; a default replaces only an existing value."""
        asked = question(key)
        if value is None and not asked.nullable:
            return self.without(key)
        if value == asked.default and not asked.required and self._find(split_key(key)) is _MISSING:
            return self._forget(key)
        return self._forget(key)._set(key, value)

    def as_required(self, key: str) -> WorkingCopy:
        """Return a copy in which an optional question is missing until it has an answer."""
        cleared = self.without(key)
        return replace(cleared, texts={**cleared.texts, key: ""})

    def without(self, key: str) -> WorkingCopy:
        """Return a copy without the value of a question: its default applies again."""
        question(key)
        made = self._forget(key)
        parts = split_key(key)
        if made._find(parts) is _MISSING:
            return made
        return replace(made, values=without_value(made.values, parts))

    def nodes(self) -> int:
        """Return the number of nodes."""
        return len(self.values.get("nodes", ()))

    def add_node(self, values: DottedValues | None = None) -> WorkingCopy:
        """Return a copy with one more node at the end."""
        return self._with_nodes([*range(self.nodes()), None], dict(values or {}))

    def copy_node(self, index: int) -> WorkingCopy:
        """Return a copy with a duplicate behind this node, under a new name.

        Values that belong to one server only are left out.
        """
        row = self._row(index)
        copy = {name: value for name, value in row.items() if name not in _OWN}
        taken = {other.get("name") for other in self.values["nodes"]}
        if name := row.get("name"):
            copy = {"name": _next_free_name(name, taken), **copy}
        made = self._with_nodes([*range(index + 1), None, *range(index + 1, self.nodes())], copy)
        prefix = f"nodes[{index}]."
        texts = {
            f"nodes[{index + 1}].{key.removeprefix(prefix)}": text
            for key, text in self.texts.items()
            if key.startswith(prefix) and key.removeprefix(prefix) not in _OWN
        }
        return replace(made, texts={**made.texts, **texts})

    def remove_node(self, index: int) -> WorkingCopy:
        """Return a copy without this node."""
        self._row(index)
        return self._with_nodes([other for other in range(self.nodes()) if other != index])

    def move_node(self, index: int, by: int) -> WorkingCopy:
        """Return a copy with the node moved down ``by`` rows (up when negative), within the table."""
        self._row(index)
        order = [other for other in range(self.nodes()) if other != index]
        order.insert(min(max(index + by, 0), len(order)), index)
        return self._with_nodes(order)

    def problem(self, key: str) -> str | None:
        """Return the problem of one field (``problem; hint``), or None."""
        found = self._by_key.get(key)
        return None if found is None else f"{found.message}; {found.hint}" if found.hint else found.message

    def problems(self) -> tuple[Problem, ...]:
        """Return every problem, missing answers included, in file order."""
        return self._problems

    def answers(self) -> Answers | None:
        """Return the answers; None while a field is missing or invalid."""
        if self._problems:
            return None
        made: Answers = build_section(root(), self.values)
        return made

    def loaded(self, source: str) -> LoadedAnswers:
        """Return the answers as if ``source`` held them. Raises AnswersError with every problem."""
        answers = self.answers()
        if answers is None:
            raise parse_error(source, self._problems)
        return LoadedAnswers(answers=answers, source=source, lines={})

    def yaml(self, *, without_plain_secrets: bool = True, masked: bool = False) -> str:
        """Return the text of answers.yml, invalid texts included; ``masked`` masks the secrets."""
        values = self.values_and_texts()
        if masked:
            return dumps_values(
                map_plain_secrets(values, lambda _key, _ref: SecretRef(kind="plain", where=MASK))
            )
        return dumps_values(values, without_plain_secrets=without_plain_secrets)

    def values_and_texts(self) -> DottedValues:
        """Return the values together with the texts that are no valid answers."""
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
                    return _MISSING
            elif part not in found:
                return _MISSING
            found = found[part]
        return found

    def _row(self, index: int) -> DottedValues:
        if not 0 <= index < self.nodes():
            raise IndexError(f"there is no node {index}")
        row: DottedValues = self.values["nodes"][index]
        return row

    def _set(self, key: str, value: Any) -> WorkingCopy:
        return replace(self, values=with_value(self.values, split_key(key), value))

    def _forget(self, key: str) -> WorkingCopy:
        """Return a copy without the key's invalid text and its request to type a secret again."""
        if key not in self.texts and key not in self.missing_secrets:
            return self
        texts = {other: text for other, text in self.texts.items() if other != key}
        missing = tuple(other for other in self.missing_secrets if other != key)
        return replace(self, texts=texts, missing_secrets=missing)

    def _with_nodes(self, order: Sequence[int | None], new: DottedValues | None = None) -> WorkingCopy:
        """Return a copy with the nodes in another order, by old index; None stands for ``new``."""
        rows = self.values.get("nodes", ())
        placed = [new if old is None else rows[old] for old in order]
        moved = {old: index for index, old in enumerate(order) if old is not None}
        texts = {there: text for key, text in self.texts.items() if (there := _key_after_move(key, moved))}
        missing = tuple(there for key in self.missing_secrets if (there := _key_after_move(key, moved)))
        return replace(self, values={**self.values, "nodes": placed}, texts=texts, missing_secrets=missing)


_MISSING = object()


def _key_after_move(key: str, moved: Mapping[int, int]) -> str | None:
    """Return the key with the new index of its node; None when the node is gone."""
    if not (found := _NODE.match(key)):
        return key
    index = moved.get(int(found[1]))
    return None if index is None else f"nodes[{index}]{key[found.end() :]}"


def _next_free_name(name: str, taken: Collection[Any]) -> str:
    """Return the next name that no node has: api1 -> api2."""
    stem = re.sub(r"\d+$", "", name)[:28]
    number = int(name[len(stem) :] or 1) if name[len(stem) :].isdigit() else 1
    while f"{stem}{number}" in taken or f"{stem}{number}" == name:
        number += 1
    return f"{stem}{number}"
