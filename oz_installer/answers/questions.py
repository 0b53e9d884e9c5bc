"""Every question, derived from the model, for the reader, schema, reference and forms.

A dotted key names a question: ``database.port``, ``public_url``; the fields of a node stand under
``nodes[].host``, and those of the second node under ``nodes[1].host``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from oz_installer.answers import value_rules
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.safe_text import safe_data
from oz_installer.frozen import dataclass

QuestionKind = Literal[
    "text", "integer", "number", "boolean", "choice", "secret", "path", "list", "map", "settings", "table"
]
_INDEX = re.compile(r"\[\d+\]")
_SIMPLE: dict[Any, QuestionKind] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    Path: "path",
    SecretRef: "secret",
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question. ``key`` is its dotted key: ``section``, then ``name``.

    Kind ``list`` is a list of texts (of ``choices``, if there are any), ``map`` maps text to text,
    ``settings`` maps text to any JSON value, ``table`` is the list of nodes. ``default`` is None when
    ``required``. With ``off``, false means the same as leaving the question out; ``advice`` returns why a
    valid secret is weak.
    """

    key: str
    name: str
    section: str
    label: str
    help: str
    kind: QuestionKind
    default: Any
    required: bool
    nullable: bool
    choices: tuple[Any, ...] = ()
    rule: value_rules.ValueRule | None = None
    advice: value_rules.ValueRule | None = None
    advanced: bool = False
    off: bool = False

    def check(self, value: Any) -> str | None:
        """Return the problem of a value of the right type (``problem; hint``), or None."""
        if value is None:
            return "is needed" if self.required else None
        if self.choices and self.kind == "choice" and value not in self.choices:
            return value_rules.not_a_choice(value, self.choices)
        if isinstance(value, SecretRef):
            bad = value_rules.plain_secret(value.where) if value.kind == "plain" else None
            return safe_data(value.where) or bad
        text = str(value) if isinstance(value, Path) else value
        return safe_data(text) or (self.rule(value) if self.rule else None)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A group of questions in file order: the whole file (key ``""``), ``database``, ``nodes``.

    ``many``: the file holds a list of them, as for the nodes.
    """

    key: str
    name: str
    label: str
    help: str
    model: type
    many: bool
    required: bool
    rule: value_rules.ValueRule | None
    items: tuple[Question | Section, ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """The section's own questions, without those of nested sections."""
        return tuple(item for item in self.items if isinstance(item, Question))


@cache
def root() -> Section:
    """The whole file as a section."""
    return _section(Answers, "", "", "Answers", "All answers of an installation.")


@cache
def sections() -> tuple[Section, ...]:
    """The top level first, then every section in file order."""
    return (root(), *(item for item in root().items if isinstance(item, Section)))


@cache
def questions() -> tuple[Question, ...]:
    """Every question in file order; the table of nodes precedes its columns (``nodes[].name``)."""
    return tuple(_walk(root()))


@cache
def _by_key() -> Mapping[str, Question]:
    return {question.key: question for question in questions()}


def question(key: str) -> Question:
    """The question of a dotted key, ``nodes[1].host`` included. KeyError when there is none."""
    return _by_key()[_INDEX.sub("[]", key)]


def _walk(section: Section) -> Iterator[Question]:
    if section.many:
        yield Question(
            key=section.key,
            name=section.name,
            section="",
            label=section.label,
            help=section.help,
            kind="table",
            default=None if section.required else (),
            required=section.required,
            nullable=False,
            rule=section.rule,
        )
    for item in section.items:
        if isinstance(item, Section):
            yield from _walk(item)
        else:
            yield item


def _section(model: type, key: str, name: str, label: str, help: str, **more: Any) -> Section:
    hints = get_type_hints(model)
    prefix = f"{key}[]" if more.get("many") else key
    items = tuple(_item(field, hints[field.name], prefix) for field in fields(model))
    options = {"many": False, "required": False, "rule": None, **more}
    return Section(key=key, name=name, label=label, help=help, model=model, items=items, **options)


def _item(field: Field[Any], hint: Any, prefix: str) -> Question | Section:
    key = f"{prefix}.{field.name}" if prefix else field.name
    meta = field.metadata
    required = field.default is MISSING and field.default_factory is MISSING
    inner = get_args(hint)[0] if get_origin(hint) is tuple else hint
    if is_dataclass(inner) and isinstance(inner, type) and inner is not SecretRef:
        many = inner is not hint
        return _section(
            inner,
            key,
            field.name,
            meta["label"],
            meta["help"],
            many=many,
            required=required,
            rule=meta["rule"],
        )
    default = None if field.default is MISSING else field.default
    if field.default_factory is not MISSING:
        default = field.default_factory()
    kind, choices, nullable = _shape(hint)
    return Question(
        key=key,
        name=field.name,
        section=prefix.removesuffix("[]"),
        kind=kind,
        default=default,
        required=required,
        nullable=nullable,
        choices=choices,
        **meta,
    )


def _shape(hint: Any) -> tuple[QuestionKind, tuple[Any, ...], bool]:
    """Return kind, choices and whether None is a value, from a field's type."""
    arguments = get_args(hint)
    if NoneType in arguments:
        kind, choices, _ = _shape(next(arg for arg in arguments if arg is not NoneType))
        return kind, choices, True
    if get_origin(hint) is Literal:
        return "choice", arguments, False
    if get_origin(hint) is tuple:
        return "list", _shape(arguments[0])[1], False
    if get_origin(hint) is not None:
        return ("map" if arguments[1] is str else "settings"), (), False
    return _SIMPLE[hint], (), False
