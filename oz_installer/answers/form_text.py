"""Convert a form's text to the value of a question and back, by the rules of answers.yml."""

from __future__ import annotations

import re
from typing import Any

from oz_installer.answers.questions import Question
from oz_installer.answers.yaml.convert import YES, InvalidValue, convert_value
from oz_installer.answers.yaml.parser import read_value
from oz_installer.answers.yaml.tree import ListNode, Scalar, Tree
from oz_installer.answers.yaml.writer import flow, scalar
from oz_installer.errors import AnswersError

_PLAIN_KINDS = frozenset({"integer", "number", "boolean", "choice"})
_LONGEST_TABLE = 65536


def parse_form_text(question: Question, text: str) -> Any:
    """Return the value of a typed text; an empty text is None or the default.

    Lists are words separated by commas or spaces; maps and settings are ``KEY: value``, one per line or
    separated by commas. A secret is the secret itself. Raises InvalidValue (``problem; hint``).
    """
    meant = text if question.kind == "secret" else text.strip()
    if not meant:
        return None if question.nullable else question.default
    value = convert_value(question, _tree(question, meant))
    if problem := question.check(value):
        raise InvalidValue(problem)
    return value


def format_form_text(question: Question, value: Any) -> str:
    """Return a value as a form shows it; ``parse_form_text`` reverses it.

    Raises ValueError for a secret.
    """
    if question.kind == "secret":
        raise ValueError(f"{question.key} is a secret; it has no text")
    if value is None:
        return ""
    if question.kind == "list":
        return ", ".join(value)
    if question.kind in ("map", "settings"):
        return "\n".join(f"{scalar(key)}: {flow(inside)}" for key, inside in value.items())
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return flow(value) if isinstance(value, bool) else str(value)


def _tree(question: Question, text: str) -> Tree:
    if question.off and YES.get(text.lower(), text.lower()) == "false":
        return Scalar("false", True, 1)
    if question.kind in ("map", "settings"):
        return _table(text)
    if question.kind == "list":
        return _items(text)
    if question.kind == "boolean":
        text = YES.get(text.lower(), text)
    if question.kind in ("integer", "number"):
        _separators(text)
    return Scalar(text, question.kind in _PLAIN_KINDS, 1)


def _separators(text: str) -> None:
    """Raise InvalidValue, with the right form, for grouped digits or a decimal comma."""
    if re.fullmatch(r"[1-9][0-9]{0,2}(,[0-9]{3}){1,4}", text):
        raise InvalidValue(f"should be a number without commas; write {text.replace(',', '')}")
    if re.fullmatch(r"[1-9][0-9]{0,2}[.]000", text):
        few = text.partition(".")[0]
        raise InvalidValue(f"could be {few} or {few}000; write {few} or {few}000")
    if re.fullmatch(r"[0-9]{1,9},[0-9]{1,9}", text):
        raise InvalidValue(
            f"should be a number without a comma; write {text.replace(',', '.')} or leave it out"
        )
    if re.fullmatch(r"[0-9]{1,3}([ _'][0-9]{3}){1,4}", text):
        raise InvalidValue(f"should be a number; write {re.sub('[^0-9]', '', text)}")


def _items(text: str) -> Tree:
    if text.startswith("["):
        return _yaml(text, "write words separated by commas")
    items = ListNode(1)
    items.items += [Scalar(word, False, 1) for word in re.split(r"[\s,]+", text) if word]
    return items


def _table(text: str) -> Tree:
    if not text.startswith("{") and "\n" not in text and ":" in text:
        text = f"{{{text}}}"
    return _yaml(text, "write KEY: value, one per line")


def _yaml(text: str, wanted: str) -> Tree:
    if len(text) > _LONGEST_TABLE:
        raise InvalidValue(f"is longer than {_LONGEST_TABLE} characters")
    try:
        return read_value(text)
    except AnswersError as error:
        problem = error.problems[0]
        is_syntax = problem.message.startswith("is not YAML")
        message = f"cannot be read; {wanted}" if is_syntax else f"{problem.message}; {problem.hint or wanted}"
        raise InvalidValue(message) from None
