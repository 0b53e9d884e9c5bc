"""From a document to answers: every question gets its value, every problem its line; all at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from oz_installer.answers import rules
from oz_installer.answers.model import SecretRef
from oz_installer.answers.questions import Question, Section
from oz_installer.answers.together import RULES
from oz_installer.answers.tree import Broken, Items, Scalar, Tree
from oz_installer.answers.tree import Mapping as Table
from oz_installer.errors import Problem

_SECRET_FORMS = "write {env: NAME}, {file: PATH}, {prompt: true} or the secret in quotes"  # noqa: S105 - a text for the screen
_YES = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}


class Refused(Exception):
    """A value cannot be used; the text is ``problem; what would be right``."""


class Reader:
    """Reads one document. ``lines`` maps each dotted key that was given to its line.

    ``refused`` keeps, by key, the texts that are no answers (never secrets), so that a form can show them.
    """

    def __init__(self, source: str | None) -> None:
        self.source = source
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.refused: dict[str, str] = {}
        self._bad: set[str] = set()

    def tell(self, key: str, text: str, line: int | None) -> None:
        """Note a problem; ``text`` may hold a hint behind a semicolon."""
        message, _, hint = text.partition("; ")
        self.problems.append(Problem(key=key, message=message, hint=hint, line=line, source=self.source))
        self._bad.add(key)

    def section(self, section: Section, tree: Tree, key: str) -> dict[str, Any]:
        """The values given in a section, by name; unknown, missing and wrong ones become problems."""
        if isinstance(tree, Broken) or (isinstance(tree, Scalar) and tree.look == "null"):
            tree = Table(tree.line)
        if not isinstance(tree, Table):
            self.tell(key, "should hold keys with values; such as key: value", tree.line)
            return {}
        known = {item.name: item for item in section.items}
        values: dict[str, Any] = {}
        for name, entry in tree.entries.items():
            path = f"{key}.{name}" if key else name
            self.lines[path] = entry.line
            if item := known.get(name):
                self._item(item, entry.value, path, values)
            else:
                self.tell(path, _unknown(name, known), entry.line)
        for name, item in known.items():
            if item.required and name not in tree.entries:
                self.tell(f"{key}.{name}" if key else name, "is missing", tree.line if key else None)
        return values

    def _item(self, item: Question | Section, tree: Tree, path: str, values: dict[str, Any]) -> None:
        if isinstance(tree, Broken):
            self._bad.add(path)
            return
        if isinstance(item, Section):
            values[item.name] = self._nested(item, tree, path)
            return
        if isinstance(tree, Scalar) and tree.look == "null":
            if item.required:
                self.tell(path, "is needed", tree.line)
            return
        try:
            value = convert(item, tree)
            if problem := item.check(value):
                raise Refused(problem)
            values[item.name] = value
        except Refused as refused:
            self.tell(path, str(refused), tree.line)
            if isinstance(tree, Scalar) and item.kind != "secret":
                self.refused[path] = tree.text

    def _nested(self, section: Section, tree: Tree, path: str) -> Any:
        if not section.many:
            values = self.section(section, tree, path)
            self._together(section, {**_defaults(section), **values}, path)
            return values
        if isinstance(tree, Scalar) and tree.look == "null":
            tree = Items(tree.line)
        if not isinstance(tree, Items):
            self.tell(path, "should be a list; each item starts with a hyphen", tree.line)
            return []
        rows = []
        for index, item in enumerate(tree.items):
            self.lines[f"{path}[{index}]"] = item.line
            rows.append(self.section(section, item, f"{path}[{index}]"))
        if section.rule and (problem := section.rule(rows)):
            self.tell(path, problem, tree.line)
        self._together(section, rows, path)
        return rows

    def _together(self, section: Section, values: Any, path: str) -> None:
        if section.name not in RULES:
            return
        if isinstance(values, dict):
            values = {name: value for name, value in values.items() if f"{path}.{name}" not in self._bad}
        for below, text in RULES[section.name](values):
            key = f"{path}{below}" if below.startswith("[") else f"{path}.{below}"
            self.tell(key, text, self.lines.get(key, self.lines.get(path)))


def build(section: Section, values: Mapping[str, Any]) -> Any:
    """Make the section's dataclass from sound values; what is left out takes its default."""
    made: dict[str, Any] = {}
    for item in section.items:
        if item.name not in values:
            continue
        value = values[item.name]
        if isinstance(item, Section):
            value = tuple(build(item, row) for row in value) if item.many else build(item, value)
        made[item.name] = value
    return section.model(**made)


def convert(question: Question, tree: Tree) -> Any:
    """The value that a question's kind wants. Raises Refused."""
    return _CONVERTERS[question.kind](question, tree)


def _defaults(section: Section) -> dict[str, Any]:
    return {question.name: question.default for question in section.questions if not question.required}


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name[:64].lower(), known, n=1, cutoff=0.6)
    if close:
        return f"is not known here; did you mean {close[0]}?"
    return f"is not known here; known are {', '.join(known)}"


def _scalar(tree: Tree, wanted: str) -> Scalar:
    if isinstance(tree, Scalar):
        return tree
    raise Refused(f"should be {wanted}, not a {'list' if isinstance(tree, Items) else 'mapping'}")


def _text(question: Question, tree: Tree) -> str | None:
    scalar = _scalar(tree, "a text")
    if question.off and scalar.look == "boolean":
        if scalar.text.lower() == "false":
            return None
        raise Refused("should be the address itself, not true; write it as https://…")
    return string(scalar)


def string(scalar: Scalar, *, secret: bool = False) -> str:
    """A scalar as text, when every YAML reader takes it for one. Raises Refused."""
    if scalar.look == "null":
        raise Refused("is empty")
    if scalar.look != "text":
        wish = "put it in quotes" if secret else f'put it in quotes: "{scalar.text[:80]}"'
        raise Refused(f"YAML reads this as {_called(scalar)}; {wish}")
    if not scalar.text:
        raise Refused("is empty; leave it out or write a value")
    return scalar.text


def _called(scalar: Scalar) -> str:
    names = {"integer": "a number", "number": "a number", "boolean": "true or false", "null": "nothing"}
    return names.get(scalar.look, "something else than a text")


def _integer(_: Question, tree: Tree) -> int:
    scalar = _scalar(tree, "a whole number")
    if scalar.look != "integer":
        bare = re.fullmatch(r"[0-9]{1,15}", scalar.text) and not scalar.plain
        raise Refused("should be a whole number" + (f"; write {scalar.text} without quotes" if bare else ""))
    if len(scalar.text) > 18:
        raise Refused("is too large")
    return int(scalar.text)


def _number(_: Question, tree: Tree) -> float:
    scalar = _scalar(tree, "a number")
    if scalar.look not in ("integer", "number"):
        bare = re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", scalar.text) and not scalar.plain
        raise Refused("should be a number" + (f"; write {scalar.text} without quotes" if bare else ""))
    return float(scalar.text)


def _boolean(_: Question, tree: Tree) -> bool:
    scalar = _scalar(tree, "true or false")
    if scalar.look != "boolean":
        meant = _YES.get(scalar.text.lower(), scalar.text.lower())
        raise Refused("should be true or false" + (f"; write {meant}" if meant in ("true", "false") else ""))
    return scalar.text.lower() == "true"


def _choice(question: Question, tree: Tree) -> Any:
    scalar = _scalar(tree, "one of " + ", ".join(str(choice) for choice in question.choices))
    if isinstance(question.choices[0], int):
        return _integer(question, tree)
    return scalar.text


def _path(_: Question, tree: Tree) -> Path:
    text = string(_scalar(tree, "a path"))
    if problem := rules.plain_data(text):
        raise Refused(problem)
    return Path(text)


def _list(question: Question, tree: Tree) -> tuple[str, ...]:
    if not isinstance(tree, Items):
        text = tree.text if isinstance(tree, Scalar) and len(tree.text) < 80 else "…"
        raise Refused(f"should be a list; write [{text}]")
    texts = tuple(string(_scalar(item, "a text")) for item in tree.items)
    for text in texts:
        if question.choices and text not in question.choices:
            raise Refused(rules.not_among(text, question.choices))
    return texts


def _map(_: Question, tree: Tree) -> dict[str, str]:
    entries = _entries(tree)
    return {key: string(_scalar(value, "a text")) for key, value in entries.items()}


def _settings(_: Question, tree: Tree) -> dict[str, Any]:
    return {key: json_value(value) for key, value in _entries(tree).items()}


def _entries(tree: Tree) -> dict[str, Tree]:
    if not isinstance(tree, Table):
        raise Refused("should hold keys with values; such as {KEY: value}")
    for key, entry in tree.entries.items():
        string(Scalar(key, entry.plain, entry.line))
    return {key: entry.value for key, entry in tree.entries.items()}


def json_value(tree: Tree) -> Any:
    """Any value that JSON knows. Raises Refused where YAML readers disagree on what it is."""
    if isinstance(tree, Items):
        return [json_value(item) for item in tree.items]
    if isinstance(tree, Table):
        return {key: json_value(value) for key, value in _entries(tree).items()}
    if isinstance(tree, Broken):
        raise Refused("holds something refused")
    if tree.look in ("null", "boolean"):
        return None if tree.look == "null" else tree.text.lower() == "true"
    if tree.look == "integer" and len(tree.text) <= 18:
        return int(tree.text)
    if tree.look == "number" and abs(number := float(tree.text)) <= 1e300:
        return number
    return "" if not tree.text else string(tree)


def _secret(_: Question, tree: Tree) -> SecretRef:
    if isinstance(tree, Scalar):
        return SecretRef(kind="plain", where=string(tree, secret=True))
    if not isinstance(tree, Table) or len(tree.entries) != 1:
        raise Refused(f"should say where the secret is; {_SECRET_FORMS}")
    ((kind, entry),) = tree.entries.items()
    value = entry.value
    if (
        kind == "prompt"
        and isinstance(value, Scalar)
        and value.look == "boolean"
        and value.text.lower() == "true"
    ):
        return SecretRef(kind="prompt")
    if kind in ("env", "file") and isinstance(value, Scalar):
        where = string(value)
        problem = rules.plain_data(where) or (rules.environment_name(where) if kind == "env" else None)
        if problem:
            raise Refused(problem)
        return SecretRef(kind="env" if kind == "env" else "file", where=where)
    close = get_close_matches(kind[:64], ("env", "file", "prompt"), n=1)
    raise Refused(
        f"does not say where the secret is; {f'did you mean {close[0]}?' if close else _SECRET_FORMS}"
    )


_CONVERTERS: Mapping[str, Callable[[Question, Tree], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "choice": _choice,
    "path": _path,
    "secret": _secret,
    "list": _list,
    "map": _map,
    "settings": _settings,
}
