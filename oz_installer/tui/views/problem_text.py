"""How problems are written under a field: the reader's words, made into a sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from oz_installer.answers.questions import question, sections
from oz_installer.answers.value_rules import LIKE_A_VARIABLE

if TYPE_CHECKING:
    from oz_installer.answers.questions import Question
    from oz_installer.installation.wizard.choices import AllowedValues

_VERBS = frozenset({"is", "should", "holds", "has", "needs", "stands", "cannot", "says", "does", "must"})

_TICKED = re.compile(r'`([a-z_]+)(: "[^"`]*")?`')
_DOTTED = re.compile(r"(?<![\w./-])[a-z_]+(?:\[\d+\])?\.[a-z_]+\b(?![/-]|\.\w)")  # no part of a path

NO_VARIABLE = "choose «variable» and write its name; or «file», if this is the secret itself"


def sentence(asked: Question, text: str) -> str:
    """``should be a number`` -> ``Port should be a number``; whole sentences get a capital."""
    if text.partition(" ")[0] in _VERBS:
        return f"{asked.label} {text}"
    return text[:1].upper() + text[1:]


def problem_words(asked: Question, text: str) -> str:
    """What is wrong; hints that only make sense in a file are left out, or said in the form's words."""
    message, _, hint = text.partition("; ")
    if asked.kind == "secret" and "{" in hint:
        hint = NO_VARIABLE if message == LIKE_A_VARIABLE else ""
    return f"! {sentence(asked, message)}" + (f"; {form_names(hint)}" if hint else "")


def form_names(text: str) -> str:
    """A text of the core by the names that the forms have: «Private key file» for `key_file` of a node,
    «Registry: Server» for registry.server."""
    ticked = _TICKED.sub(lambda found: _label(f"nodes[].{found[1]}", found[0]) + (found[2] or ""), text)
    return _DOTTED.sub(lambda found: _label(found[0], found[0]), ticked)


def _label(key: str, otherwise: str) -> str:
    try:
        asked = question(key)
    except KeyError:
        return otherwise
    section = next(one for one in sections() if one.key == asked.section)
    return f"«{asked.label}»" if section.many else f"«{section.label}: {asked.label}»"


def with_form_names(news: object) -> object:
    """What a job tells, with its hints by the names that the forms have."""
    told = {name: str(getattr(news, name, "")) for name in ("error", "why", "hint")}
    better = {name: fresh for name, text in told.items() if (fresh := form_names(text)) != text}
    return replace(cast("Any", news), **better) if better else news


def disabled_text(asked: Question, possible: AllowedValues | None) -> str:
    """Why something is greyed out; hints say how to change the file, which greying out does already."""
    if possible is None:
        return ""
    if possible.reason:
        return sentence(asked, possible.reason.partition("; ")[0])
    messages = {value: reason.partition("; ")[0] for value, reason in possible.disabled.items()}
    reasons = dict.fromkeys(
        reason if str(value) in reason else f"{value}: {reason}" for value, reason in messages.items()
    )
    return "\n".join(f"{reason[:1].upper()}{reason[1:]}" for reason in reasons)
