"""The allowed values of a question, given all other answers; forms disable the rest.

Nothing is listed here: every choice is validated by the rules.
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
    """``reason``: why no value is allowed; ``disabled``: why a choice is not allowed, by choice."""

    reason: str | None = None
    disabled: Mapping[Any, str] = field(default_factory=dict)


OF_COMPONENTS = ("updater.token", "license.web_adapter")
"""Questions that must be answered when their component is on."""

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
"""Pairs of sample values: the same message for both means that no value is allowed."""


def allowed_values(working: WorkingCopy, keys: Sequence[str]) -> Mapping[str, AllowedValues]:
    """Return the disabled values by question, with reasons. Unrestricted questions are left out."""
    base = _complete(working)
    found = {key: _of(base, key) for key in keys if "[]" not in key}
    return {key: one for key, one in found.items() if one.reason or one.disabled}


def missing_reason(working: WorkingCopy, key: str) -> str | None:
    """Return why this question must be answered, given the other answers; None if optional."""
    return _wrong(_complete(working).without(key), key)


def missing_for_components(working: WorkingCopy) -> Iterator[Problem]:
    """Yield missing answers of components that are on.

    They are reported even while another answer is wrong, which keeps the constraints from being checked.
    """
    for key in OF_COMPONENTS:
        if working.is_omitted(key) and (text := missing_reason(working, key)):
            message, _, hint = text.partition("; ")
            yield Problem(key=key, message=message, hint=hint)


def _of(base: WorkingCopy, key: str) -> AllowedValues:
    asked = question(key)
    if asked.kind in ("table", "list"):
        return AllowedValues()
    if asked.kind == "choice":
        return AllowedValues(disabled=_disabled(base, key, asked.choices))
    if asked.kind == "boolean":
        disabled = _disabled(base, key, (True,))
        return AllowedValues(reason=disabled.get(True))
    one, other = next(_samples(asked), (None, None))
    reason = None if one is None else _wrong(base.with_value(key, one), key)
    return AllowedValues(
        reason=reason if reason and _wrong(base.with_value(key, other), key) == reason else None
    )


def _disabled(base: WorkingCopy, key: str, choices: Sequence[Any]) -> dict[Any, str]:
    tried = {choice: _wrong(base.with_value(key, choice), key) for choice in choices}
    return {choice: reason for choice, reason in tried.items() if reason}


def _samples(asked: Question) -> Iterator[tuple[Any, Any]]:
    """Yield pairs of sample values that are valid by themselves."""
    kinds = {"integer": int, "number": float, "path": Path, "secret": SecretRef, "text": str}
    wanted = kinds.get(asked.kind)
    for pair in _SAMPLES:
        if wanted is not None and all(type(one) is wanted and asked.check(one) is None for one in pair):
            yield pair


def _wrong(working: WorkingCopy, key: str) -> str | None:
    """Return the problem with this answer; None if it is allowed."""
    if mine := _of_key(working.problems(), key):
        return mine
    answers = _complete(working).answers()  # other answers may belong to another choice
    return _of_key(check_constraints(answers), key) if answers else None


def _of_key(problems: Sequence[Problem], key: str) -> str | None:
    return next((_problem_text(problem) for problem in problems if problem.key == key), None)


def _problem_text(problem: Problem) -> str:
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message


def _complete(working: WorkingCopy) -> WorkingCopy:
    """Return the answers with missing and invalid values replaced by valid samples."""
    for problem in working.problems():
        working = _with_sample(working, problem.key)
    return working


def _with_sample(working: WorkingCopy, key: str) -> WorkingCopy:
    try:
        asked = question(key)
    except KeyError:  # below a question: images.oz-api
        return _with_sample(working, key.rpartition(".")[0]) if "." in key else working
    if asked.kind == "table":
        layouts = [layout for one in load_scenarios().values() for layout in one.layouts]
        for number in range(len(layouts[0].nodes) - working.nodes()):
            working = working.add_node({"name": f"sample{number}", "host": f"sample{number}"})
        return working
    sample = asked.choices[0] if asked.choices else next(_samples(asked), (None,))[0]
    return working.with_value(key, sample) if asked.required else working.without(key)
