"""Validation of answers while editing: the reader's rules, over values and typed texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from oz_installer.answers.form_text import parse_form_text
from oz_installer.answers.questions import Question, Section, root
from oz_installer.answers.section_rules import check_section
from oz_installer.answers.yaml.convert import InvalidValue
from oz_installer.answers.yaml.reader import defaults_of
from oz_installer.errors import Problem

RETYPE = "was not saved; type it again, or clear the field"


class ValidatedRows:
    """A cache of the problems of a table's rows.

    An edit replaces one row object and keeps the others, so that only the edited row is validated again, even
    among fifty. Threads share the cache: an entry is never changed, only replaced; at worst a row is
    validated twice.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[object, dict[str, str]]] = {}

    def problems_of(
        self, key: str, row: object, judge: Callable[[], Iterable[tuple[str, str]]]
    ) -> dict[str, str]:
        """Return the problems of the row at ``key``; ``judge`` runs if the row has changed."""
        before, found = self._found.get(key, (None, {}))
        if before is not row:
            found = dict(judge())
            self._found[key] = row, found
        return found

    def forget(self, key: str) -> None:
        """Drop a row that no longer exists."""
        self._found.pop(key, None)


@dataclass(frozen=True, kw_only=True)
class Validator:
    """Finds the problems of answers that are being edited.

    ``texts`` are typed texts that are no valid answers, ``retype`` the keys of secrets to type again,
    ``rows`` the cache of earlier results.
    """

    texts: Mapping[str, str] = field(repr=False)
    retype: Collection[str]
    rows: ValidatedRows

    def problems(self, values: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Return every problem of values nested by section, in file order."""
        return tuple(_problem(key, text) for key, text in self._items(root(), values, ""))

    def _items(self, section: Section, values: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
        """Yield dotted key and problem of a section's values, in the order of its questions."""
        for item in section.items:
            path = f"{key}.{item.name}" if key else item.name
            if isinstance(item, Question):
                if text := self._field(item, values, path):
                    yield path, text
            elif item.many:
                yield from self._table(item, values, path)
            elif item.name in values or any(text.startswith(f"{path}.") for text in self._typed):
                yield from self._section(item, values.get(item.name, {}), path)

    @property
    def _typed(self) -> tuple[str, ...]:
        return (*self.texts, *self.retype)

    def _field(self, question: Question, values: Mapping[str, Any], key: str) -> str | None:
        if key in self.texts:
            if not self.texts[key]:
                return "is missing"
            try:
                parse_form_text(question, self.texts[key])
            except InvalidValue as refused:
                return str(refused)
        if key in self.retype:
            return RETYPE
        if question.name not in values:
            return "is missing" if question.required else None
        return question.check(values[question.name])

    def _section(self, section: Section, values: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
        found = dict(self._items(section, values, key))
        wrong = {*found, *self._typed}
        sound = {
            name: value
            for name, value in {**defaults_of(section), **values}.items()
            if f"{key}.{name}" not in wrong
        }
        for below, text in check_section(section.name, sound, key):
            found.setdefault(below, text)
        for question in section.questions:
            if text := found.get(f"{key}.{question.name}", ""):
                yield f"{key}.{question.name}", text

    def _table(self, section: Section, values: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
        rows = values.get(section.name)
        if rows is None:
            yield key, "is missing"
            return
        if section.rule and (text := section.rule(rows)):
            yield key, text
        found = dict(check_section(section.name, rows, key))
        self.rows.forget(f"{key}[{len(rows)}]")  # rows are removed one at a time
        for index, row in enumerate(rows):
            inside = self._row(section, row, f"{key}[{index}]")
            for question in section.questions if inside or found else ():
                path = f"{key}[{index}].{question.name}"
                if text := inside.get(path) or found.get(path):
                    yield path, text

    def _row(self, section: Section, row: Mapping[str, Any], key: str) -> dict[str, str]:
        if any(
            typed.startswith(f"{key}.") for typed in self._typed
        ):  # a typed text is not part of the row object
            return dict(self._items(section, row, key))
        return self.rows.problems_of(key, row, lambda: self._items(section, row, key))


def _problem(key: str, text: str) -> Problem:
    message, _, hint = text.partition("; ")
    return Problem(key=key, message=message, hint=hint)
