"""How problems are written under a field: the reader's words, made into a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oz_installer.answers.rules import LIKE_A_VARIABLE

if TYPE_CHECKING:
    from oz_installer.answers.questions import Question
    from oz_installer.installation.possible import Possible

_VERBS = frozenset({"is", "should", "holds", "has", "needs", "stands", "cannot", "says", "does", "must"})

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
    return f"! {sentence(asked, message)}" + (f"; {hint}" if hint else "")


def barred_words(asked: Question, possible: Possible | None) -> str:
    """Why something is greyed out; hints say how to change the file, which greying out does already."""
    if possible is None:
        return ""
    if possible.reason:
        return sentence(asked, possible.reason.partition("; ")[0])
    messages = {value: reason.partition("; ")[0] for value, reason in possible.barred.items()}
    reasons = dict.fromkeys(
        reason if str(value) in reason else f"{value}: {reason}" for value, reason in messages.items()
    )
    return "\n".join(f"{reason[:1].upper()}{reason[1:]}" for reason in reasons)
