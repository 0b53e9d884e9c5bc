"""Write answers.yml in the order of the questions; the same answers give the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from oz_installer.answers.local_files import write_private
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import Question, Section, root
from oz_installer.answers.yaml.tree import scalar_type
from oz_installer.errors import AnswersError

# Texts that need no quotes anywhere: words, paths, addresses, URLs
_PLAIN = re.compile(
    r"[A-Za-z/~][A-Za-z0-9_./@+-]*|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|https?://[A-Za-z0-9_./-]+(?::[0-9]+)?(?:/[A-Za-z0-9_./-]*)?"
)
_ALWAYS = frozenset({"version"})
_LEFT_OUT = object()


def dumps(
    answers: Answers,
    *,
    keep: Collection[str] = (),
    without_plain_secrets: bool = False,
    comments: bool = False,
) -> str:
    """Return the text of answers.yml, without defaults except for the dotted keys in ``keep``.

    ``keep`` is usually ``LoadedAnswers.lines``; ``comments`` puts each question's help above it;
    ``without_plain_secrets`` is for drafts.
    """
    values = as_values(answers, keep)
    return dumps_values(values, without_plain_secrets=without_plain_secrets, comments=comments)


def dumps_values(
    values: Mapping[str, Any], *, without_plain_secrets: bool = False, comments: bool = False
) -> str:
    """Return the text of answers that may be incomplete, nested as in ``ParsedFile.values``."""
    if without_plain_secrets:
        values = _without_plain(values)
    return "\n".join(_section(root(), values, "", comments)) + "\n"


def save(
    answers: Answers,
    path: Path,
    *,
    keep: Collection[str] = (),
    without_plain_secrets: bool = False,
    comments: bool = False,
) -> None:
    """Write answers.yml atomically, readable by its owner only. Raises AnswersError."""
    text = dumps(answers, keep=keep, without_plain_secrets=without_plain_secrets, comments=comments)
    save_text(text, path)


def save_text(text: str, path: Path) -> None:
    """Write a file atomically, readable by its owner only. Raises AnswersError."""
    try:
        write_private(path, text.encode())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AnswersError(
            f"{path}: cannot be written: {reason}", "name a file in a folder that you can write"
        ) from error


def as_values(answers: Answers, keep: Collection[str] = ()) -> dict[str, Any]:
    """Return the answers nested by section, without defaults except for the keys in ``keep``."""
    return _values(root(), answers, "", keep)


def _values(section: Section, model: Any, key: str, keep: Collection[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in section.items:
        value = getattr(model, item.name)
        path = f"{key}.{item.name}" if key else item.name
        if not isinstance(item, Section):
            if item.required or path in keep or path in _ALWAYS or value != item.default:
                values[item.name] = value
        elif item.many:
            values[item.name] = [_values(item, row, f"{path}[{i}]", keep) for i, row in enumerate(value)]
        elif (below := _values(item, value, path, keep)) or path in keep:
            values[item.name] = below
    return values


def _without_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {name: _without_plain(inside) for name, inside in value.items()}
        return {name: inside for name, inside in kept.items() if inside is not _LEFT_OUT}
    if isinstance(value, list):
        return [_without_plain(inside) for inside in value]
    return _LEFT_OUT if isinstance(value, SecretRef) and value.kind == "plain" else value


def _section(section: Section, values: Mapping[str, Any], indent: str, comments: bool) -> Iterator[str]:
    for item in section.items:
        if item.name not in values:
            continue
        if comments:
            yield f"{indent}# {item.help}"
        yield from item_lines(item, values[item.name], indent, comments=comments)


def item_lines(item: Question | Section, value: Any, indent: str, *, comments: bool = False) -> Iterator[str]:
    """Yield the lines of one question or section."""
    if not isinstance(item, Section) or not isinstance(value, Mapping | list) or not value:
        yield from _question(item.name, value, indent)
        return
    yield f"{indent}{item.name}:"
    if not isinstance(value, list):
        yield from _section(item, value, indent + "  ", comments)
        return
    for row in value:
        yield from row_lines(item, row, indent + "  ")


def row_lines(section: Section, row: Mapping[str, Any], indent: str) -> Iterator[str]:
    """Yield the lines of one node, the first one after a hyphen."""
    lines = list(_section(section, row, indent + "  ", comments=False)) or [f"{indent}  {{}}"]
    yield f"{indent}- {lines[0].lstrip()}"
    yield from lines[1:]


def _question(name: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield f"{indent}{name}:"
        for key, inside in value.items():
            yield f"{indent}  {scalar(key)}: {flow(inside)}"
    else:
        yield f"{indent}{name}: {flow(value)}"


def flow(value: Any) -> str:
    """Return a value on one line, in flow style."""
    if isinstance(value, SecretRef):
        return _secret(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(inside)}" for key, inside in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(inside) for inside in value) + "]"
    if isinstance(value, float):
        text = repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    return scalar(str(value))


def scalar(text: str) -> str:
    """Return a text as YAML: plain where every reader takes it for text, else in double quotes."""
    if _PLAIN.fullmatch(text) and scalar_type(text) == "text":
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """Return a text in double quotes, with unprintable characters escaped."""
    made = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in made)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _secret(ref: SecretRef) -> str:
    if ref.kind == "prompt":
        return "{prompt: true}"
    # A secret is always quoted, because other tools read the file too
    return quoted(ref.where) if ref.kind == "plain" else f"{{{ref.kind}: {scalar(ref.where)}}}"
