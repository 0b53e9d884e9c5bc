"""The JSON Schema of answers.yml, for editors; it accepts all that the reader accepts.

The reader alone checks rules across several answers (``section_rules.py``) and rules that a schema cannot
express.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oz_installer.answers import network, value_rules
from oz_installer.answers.questions import Question, Section, root
from oz_installer.answers.safe_text import LONGEST

_PATH = r"^(/[A-Za-z0-9._@+-]+)+$"
_FRAGMENTS: Mapping[Any, Mapping[str, Any]] = {
    value_rules.port: {"minimum": 1, "maximum": 65535},
    value_rules.positive: {"exclusiveMinimum": 0, "maximum": 1e12},
    value_rules.absolute_path: {"pattern": _PATH},
    value_rules.install_dir: {"pattern": r"^(/[A-Za-z0-9._@+-]+){2,}$"},
    value_rules.export: {"pattern": r"^(/|(/[A-Za-z0-9._@+-]+)+)$"},
    value_rules.host: {"pattern": r"^[A-Za-z0-9_.:-]+$", "maxLength": 253},
    value_rules.url: {"pattern": r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"},
    value_rules.proxy: {"pattern": r"^http://[^\s/@]+:[0-9]+/?$"},
    value_rules.no_proxy: {"uniqueItems": True},
    network.subnet: {"pattern": r"^[0-9]+(\.[0-9]+){3}/[0-9]{2}$"},
    network.mtu: {"minimum": 576, "maximum": 9216},
    value_rules.jump: {"pattern": r"^[^\s]+$"},
    value_rules.registry: {"pattern": r"^[^\s/]+(/[^\s/]+)*$"},
    value_rules.email: {"pattern": r"^[^\s@]+@[^\s@]+$", "maxLength": 254},
    value_rules.no_duplicates: {"uniqueItems": True},
    value_rules.service_names: {"uniqueItems": True},
    value_rules.warning_ids: {"uniqueItems": True},
    value_rules.setting_names: {"propertyNames": {"pattern": r"^[A-Z][A-Z0-9_]{0,99}$"}},
    value_rules.images: {
        "additionalProperties": {"type": "string", "pattern": rf"^(?:{value_rules.image.regex})$"}
    },
}
_SECRET = {
    "title": "Source of the secret",
    "description": "An environment variable, a file, a prompt on the terminal, or the secret itself.",
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": LONGEST},
        *(
            {
                "type": "object",
                "properties": {kind: inside},
                "required": [kind],
                "additionalProperties": False,
            }
            for kind, inside in (
                ("env", {"type": "string", "pattern": f"^{value_rules.environment_name.regex}$"}),
                ("file", {"type": "string", "minLength": 1, "maxLength": LONGEST}),
                ("prompt", {"const": True}),
            )
        ),
    ],
}
_TYPES: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string", "minLength": 1, "maxLength": LONGEST},
    "path": {"type": "string", "minLength": 1, "maxLength": LONGEST},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array"},
    "map": {"type": "object", "additionalProperties": {"type": "string"}},
    "settings": {"type": "object"},
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "answers.yml of oz-install",
        "description": "The answers for an installation of Oz API; "
        "a key that is left out or null takes its default.",
        "$defs": {"secret": _SECRET},
        **_object(root()),
    }


def _object(section: Section) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "properties": {item.name: _item(item) for item in section.items},
        "additionalProperties": False,
    }
    if required := [item.name for item in section.items if item.required]:
        made["required"] = required
    return made


def _item(item: Question | Section) -> dict[str, Any]:
    titles = {"title": item.label, "description": item.help}
    if isinstance(item, Question):
        return {**titles, **_question(item)}
    if item.many:
        return {**titles, "type": "array", "minItems": 1, "items": {"title": "Node", **_object(item)}}
    return {**titles, **_object(item), "type": ["object", "null"]}


def _question(question: Question) -> dict[str, Any]:
    made = _value(question)
    if not question.required:
        also: list[Any] = [None, False] if question.off else [None]
        made = {"enum": [*made["enum"], *also]} if "enum" in made else {"anyOf": [made, {"enum": also}]}
        if question.default is not None:
            made["default"] = _plain(question.default)
    return made


def _value(question: Question) -> dict[str, Any]:
    if question.kind == "secret":
        return {"$ref": "#/$defs/secret"}
    if question.kind == "choice":
        return {"enum": list(question.choices)}
    made = dict(_TYPES[question.kind])
    if question.kind == "list":
        texts = {"type": "string", "minLength": 1}
        made["items"] = {"enum": list(question.choices)} if question.choices else texts
    if isinstance(question.rule, value_rules.RegexRule):
        made["pattern"] = f"^(?:{question.rule.regex})$"
    elif question.rule is not None:
        made.update(_FRAGMENTS[question.rule])
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value
