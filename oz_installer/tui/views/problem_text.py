"""Problems as text under a field: messages of the answers reader turned into sentences."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from oz_installer.answers.questions import question, sections
from oz_installer.answers.value_rules import LIKE_A_VARIABLE
from oz_installer.text import strip_control

if TYPE_CHECKING:
    from oz_installer.answers.questions import Question
    from oz_installer.installation.wizard.choices import AllowedValues

_VERBS = frozenset({"is", "should", "holds", "has", "needs", "stands", "cannot", "says", "does", "must"})

_TICKED = re.compile(r'`([a-z_]+)(: "[^"`]*")?`')
_DOTTED = re.compile(r"(?<![\w./-])[a-z_]+(?:\[\d+\])?\.[a-z_]+\b(?![/-]|\.\w)")  # not part of a path

NO_VARIABLE = "choose «variable» and enter its name; if this is the secret itself, choose «file»"


def sentence(asked: Question, text: str) -> str:
    """Turn ``should be a number`` into ``Port should be a number``; capitalise other texts."""
    if text.partition(" ")[0] in _VERBS:
        return f"{asked.label} {text}"
    return text[:1].upper() + text[1:]


def problem_words(asked: Question, text: str) -> str:
    """Describe a problem; hints about the file are dropped or use the form's labels."""
    message, _, hint = text.partition("; ")
    if asked.kind == "secret" and "{" in hint:
        hint = NO_VARIABLE if message == LIKE_A_VARIABLE else ""
    return f"! {sentence(asked, message)}" + (f"; {form_names(hint)}" if hint else "")


def form_names(text: str) -> str:
    """Replace keys in a text by labels: «Private key file» for `key_file` of a node.

    Keys of sections become «Registry: Server», for example.
    """
    ticked = _TICKED.sub(lambda found: _label(f"nodes[].{found[1]}", found[0]) + (found[2] or ""), text)
    return _DOTTED.sub(lambda found: _label(found[0], found[0]), ticked)


def _label(key: str, otherwise: str) -> str:
    try:
        asked = question(key)
    except KeyError:
        return otherwise
    section = next(one for one in sections() if one.key == asked.section)
    return f"«{asked.label}»" if section.many else f"«{section.label}: {asked.label}»"


def with_form_names(report: object) -> object:
    """Return a job's report with clean texts, and with labels instead of keys in them."""
    texts = {name: str(getattr(report, name, "")) for name in ("error", "why", "hint")}
    better = {
        name: fresh for name, text in texts.items() if (fresh := form_names(strip_control(text))) != text
    }
    return replace(cast("Any", report), **better) if better else report


def disabled_text(asked: Question, possible: AllowedValues | None) -> str:
    """Return why something is greyed out, without hints about changing the file."""
    if possible is None:
        return ""
    if possible.reason:
        return sentence(asked, possible.reason.partition("; ")[0])
    messages = {value: reason.partition("; ")[0] for value, reason in possible.disabled.items()}
    reasons = dict.fromkeys(
        reason if str(value) in reason else f"{value}: {reason}" for value, reason in messages.items()
    )
    return "\n".join(f"{reason[:1].upper()}{reason[1:]}" for reason in reasons)
