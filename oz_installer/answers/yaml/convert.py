"""Convert YAML nodes to the values of questions, one converter per kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from oz_installer.answers import value_rules
from oz_installer.answers.model import SecretRef
from oz_installer.answers.questions import Question
from oz_installer.answers.yaml.tree import InvalidNode, ListNode, Scalar, Tree
from oz_installer.answers.yaml.tree import MapNode as Table

_SECRET_FORMS = "write {env: NAME}, {file: PATH}, {prompt: true} or the secret in quotes"  # noqa: S105 - a text for the screen
_LONGEST_INTEGER = 18
"""Number of digits that fit into 64 bits."""
YES = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}


class InvalidValue(Exception):
    """A value cannot be used; the text is ``problem; hint``.

    ``below`` and ``line`` locate the item of a list or mapping.
    """

    below = ""
    line: int | None = None

    def within(self, below: str, line: int) -> InvalidValue:
        """Return this error, located from the list or mapping around the item."""
        self.below = below + self.below
        self.line = self.line or line
        return self


def convert_value(question: Question, tree: Tree) -> Any:
    """Convert a node to the value of a question. Raises InvalidValue."""
    return _CONVERTERS[question.kind](question, tree)


def _scalar(tree: Tree, wanted: str) -> Scalar:
    if isinstance(tree, Scalar):
        return tree
    raise InvalidValue(f"should be {wanted}, not a {'list' if isinstance(tree, ListNode) else 'mapping'}")


def _text(question: Question, tree: Tree) -> str | None:
    scalar = _scalar(tree, "a text")
    if question.off and scalar.yaml_type == "boolean":
        if scalar.text.lower() == "false":
            return None
        raise InvalidValue("should be the address itself, not true; write it as https://…")
    return to_text(scalar)


def to_text(scalar: Scalar, *, secret: bool = False) -> str:
    """Return a scalar as text.

    Raises InvalidValue unless every YAML reader takes it for text.
    """
    if scalar.yaml_type == "null":
        raise InvalidValue("is empty")
    if scalar.yaml_type != "text":
        hint = "put it in quotes" if secret else f'put it in quotes: "{scalar.text[:80]}"'
        raise InvalidValue(f"YAML reads this as {_called(scalar)}; {hint}")
    if not scalar.text:
        raise InvalidValue("is empty; leave it out or write a value")
    return scalar.text


def _called(scalar: Scalar) -> str:
    names = {"integer": "a number", "number": "a number", "boolean": "true or false", "null": "nothing"}
    return names.get(scalar.yaml_type, "something other than a text")


def _integer(_: Question, tree: Tree) -> int:
    scalar = _scalar(tree, "a whole number")
    if scalar.yaml_type != "integer":
        bare = re.fullmatch(r"[0-9]{1,15}", scalar.text) and not scalar.plain
        raise InvalidValue(
            "should be a whole number" + (f"; write {scalar.text} without quotes" if bare else "")
        )
    if len(scalar.text.lstrip("+-")) > _LONGEST_INTEGER:
        raise InvalidValue("is too large")
    return int(scalar.text)


def _number(_: Question, tree: Tree) -> float:
    scalar = _scalar(tree, "a number")
    if scalar.yaml_type not in ("integer", "number"):
        bare = re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", scalar.text) and not scalar.plain
        raise InvalidValue("should be a number" + (f"; write {scalar.text} without quotes" if bare else ""))
    return float(scalar.text)


def _boolean(_: Question, tree: Tree) -> bool:
    scalar = _scalar(tree, "true or false")
    if scalar.yaml_type != "boolean":
        meant = YES.get(scalar.text.lower(), scalar.text.lower())
        raise InvalidValue(
            "should be true or false" + (f"; write {meant}" if meant in ("true", "false") else "")
        )
    return scalar.text.lower() == "true"


def _choice(question: Question, tree: Tree) -> Any:
    scalar = _scalar(tree, "one of " + ", ".join(str(choice) for choice in question.choices))
    if isinstance(question.choices[0], int):
        return _integer(question, tree)
    return scalar.text


def _path(_: Question, tree: Tree) -> Path:
    return Path(to_text(_scalar(tree, "a path")))


def _list(question: Question, tree: Tree) -> tuple[str, ...]:
    if not isinstance(tree, ListNode):
        text = tree.text if isinstance(tree, Scalar) and len(tree.text) < 80 else "…"
        raise InvalidValue(f"should be a list; write [{text}]")
    texts = tuple(to_text(_scalar(item, "a text")) for item in tree.items)
    for text in texts:
        if question.choices and text not in question.choices:
            raise InvalidValue(value_rules.not_a_choice(text, question.choices))
    return texts


def _map(_: Question, tree: Tree) -> dict[str, str]:
    made: dict[str, str] = {}
    for key, value in _entries(tree).items():
        try:
            made[key] = to_text(_scalar(value, "a text"))
        except InvalidValue as refused:
            raise refused.within(f".{key}", value.line) from None
    return made


def _settings(_: Question, tree: Tree) -> dict[str, Any]:
    return _json_table(tree)


def _json_table(tree: Tree) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in _entries(tree).items():
        try:
            made[key] = json_value(value)
        except InvalidValue as refused:
            raise refused.within(f".{key}", value.line) from None
    return made


def _entries(tree: Tree) -> dict[str, Tree]:
    if not isinstance(tree, Table):
        raise InvalidValue("should be keys with values; such as {KEY: value}")
    for key, entry in tree.entries.items():
        try:
            to_text(Scalar(key, entry.plain, entry.line))
        except InvalidValue as refused:
            raise refused.within(f".{key}", entry.line) from None
    return {key: entry.value for key, entry in tree.entries.items()}


def json_value(tree: Tree) -> Any:
    """Convert a node to a JSON value. Raises InvalidValue where YAML readers disagree on it."""
    if isinstance(tree, ListNode):
        return [json_value(item) for item in tree.items]
    if isinstance(tree, Table):
        return _json_table(tree)
    if isinstance(tree, InvalidNode):
        raise InvalidValue("contains a rejected value")
    if tree.yaml_type in ("null", "boolean"):
        return None if tree.yaml_type == "null" else tree.text.lower() == "true"
    if tree.yaml_type == "integer" and len(tree.text.lstrip("+-")) <= _LONGEST_INTEGER:
        return int(tree.text)
    if tree.yaml_type == "number" and abs(number := float(tree.text)) <= 1e300:
        return number
    return "" if not tree.text else to_text(tree)


def _secret(_: Question, tree: Tree) -> SecretRef:
    if isinstance(tree, Scalar):
        return SecretRef(kind="plain", where=to_text(tree, secret=True))
    if not isinstance(tree, Table) or len(tree.entries) != 1:
        raise InvalidValue(f"should say where the secret is; {_SECRET_FORMS}")
    ((kind, entry),) = tree.entries.items()
    value = entry.value
    if (
        kind == "prompt"
        and isinstance(value, Scalar)
        and value.yaml_type == "boolean"
        and value.text.lower() == "true"
    ):
        return SecretRef(kind="prompt")
    if kind == "prompt":
        raise InvalidValue("should be true for a prompt; write {prompt: true}")
    if kind in ("env", "file") and isinstance(value, Scalar):
        where = to_text(value)
        if kind == "env" and (problem := value_rules.environment_name(where)):
            raise InvalidValue(problem)
        return SecretRef(kind="env" if kind == "env" else "file", where=where)
    close = get_close_matches(kind[:64], ("env", "file", "prompt"), n=1)
    raise InvalidValue(
        f"does not say where the secret is; {f'the closest key is {close[0]}' if close else _SECRET_FORMS}"
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
