"""What may be chosen for a question, given all other answers; forms grey out what cannot go together.

Nothing is listed here: every choice is tried, and the rules say what would be wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.model import SecretRef
from oz_installer.answers.questions import Question, question
from oz_installer.catalog.scenario import load_scenarios
from oz_installer.errors import Problem
from oz_installer.frozen import dataclass
from oz_installer.topology.constraints import check_constraints


@dataclass(frozen=True, kw_only=True)
class AllowedValues:
    """``reason`` says why nothing at all can be given; ``barred`` why a choice cannot be taken."""

    reason: str | None = None
    disabled: Mapping[Any, str] = field(default_factory=dict)


OF_COMPONENTS = ("updater.token", "license.web_adapter")
"""Questions that must be answered as soon as the component is on that they belong to."""

_SAMPLES: tuple[tuple[Any, Any], ...] = (
    ("sample", "other"),
    ("https://sample.example", "https://other.example"),
    ("/srv/sample", "/srv/other"),
    ("sample@sample.example", "other@sample.example"),
    ("SHA256:" + "A" * 43, "SHA256:" + "B" * 43),
    ("9.8", "9.9"),
    (1, 2),
    (1.0, 2.0),
    (Path("sample"), Path("other")),
    (SecretRef(kind="env", where="SAMPLE"), SecretRef(kind="env", where="OTHER")),
)
"""Pairs of values: what is wrong with both of them in the same words is wrong with any value."""


def allowed_values(working: WorkingCopy, keys: Sequence[str]) -> Mapping[str, AllowedValues]:
    """By question: what cannot be chosen, and why. Questions without restrictions are left out."""
    base = _complete(working)
    found = {key: _of(base, key) for key in keys if "[]" not in key}
    return {key: one for key, one in found.items() if one.reason or one.disabled}


def missing_reason(working: WorkingCopy, key: str) -> str | None:
    """What is wrong when this question is left out, given all other answers; None when it may be."""
    return _wrong(_complete(working).without(key), key)


def missing_for_components(working: WorkingCopy) -> Iterator[Problem]:
    """What a component asks for that is on, told although another answer is wrong, which keeps the whole from
    being judged."""
    for key in OF_COMPONENTS:
        if working.is_omitted(key) and (text := missing_reason(working, key)):
            message, _, hint = text.partition("; ")
            yield Problem(key=key, message=message, hint=hint)


def _of(base: WorkingCopy, key: str) -> AllowedValues:
    asked = question(key)
    if asked.kind in ("table", "list"):
        return AllowedValues()
    if asked.kind == "choice":
        return AllowedValues(disabled=_barred(base, key, asked.choices))
    if asked.kind == "boolean":
        barred = _barred(base, key, (True,))
        return AllowedValues(reason=barred.get(True))
    one, other = next(_samples(asked), (None, None))
    reason = None if one is None else _wrong(base.with_value(key, one), key)
    return AllowedValues(
        reason=reason if reason and _wrong(base.with_value(key, other), key) == reason else None
    )


def _barred(base: WorkingCopy, key: str, choices: Sequence[Any]) -> dict[Any, str]:
    tried = {choice: _wrong(base.with_value(key, choice), key) for choice in choices}
    return {choice: reason for choice, reason in tried.items() if reason}


def _samples(asked: Question) -> Iterator[tuple[Any, Any]]:
    """Pairs of values that are right by themselves."""
    kinds = {"integer": int, "number": float, "path": Path, "secret": SecretRef, "text": str}
    wanted = kinds.get(asked.kind)
    for pair in _SAMPLES:
        if wanted is not None and all(type(one) is wanted and asked.check(one) is None for one in pair):
            yield pair


def _wrong(working: WorkingCopy, key: str) -> str | None:
    """What is wrong with this answer; None when it can be given."""
    if mine := _of_key(working.problems(), key):
        return mine
    answers = _complete(working).answers()  # other answers may belong to another choice
    return _of_key(check_constraints(answers), key) if answers else None


def _of_key(problems: Sequence[Problem], key: str) -> str | None:
    return next((_said(problem) for problem in problems if problem.key == key), None)


def _said(problem: Problem) -> str:
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message


def _complete(working: WorkingCopy) -> WorkingCopy:
    """The same answers with what is missing or wrong replaced by something that is right by itself."""
    for problem in working.problems():
        working = _mended(working, problem.key)
    return working


def _mended(working: WorkingCopy, key: str) -> WorkingCopy:
    try:
        asked = question(key)
    except KeyError:  # below a question: images.oz-api
        return _mended(working, key.rpartition(".")[0]) if "." in key else working
    if asked.kind == "table":
        layouts = [place for one in load_scenarios().values() for place in one.layouts]
        for number in range(len(layouts[0].nodes) - working.nodes()):
            working = working.add_node({"name": f"sample{number}", "host": f"sample{number}"})
        return working
    sample = asked.choices[0] if asked.choices else next(_samples(asked), (None,))[0]
    return working.with_value(key, sample) if asked.required else working.without(key)
