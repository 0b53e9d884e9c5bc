"""Answers in the making, as far as a test of one part needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.model import Answers
from oz_installer.answers.questions import root
from oz_installer.answers.yaml.reader import build_section
from oz_installer.errors import AnswersError, Problem
from oz_installer.topology.layout import roles_of

_STAND_IN = "to-be-answered"
_URL = "http://to-be-answered.invalid"
AGAIN = "Correct it, then try again."


def partial_answers(working: WorkingCopy) -> Answers:
    """Answers whose missing required fields hold stand-ins; ask ``field_problems`` before one is used.

    Nodes without a name get one that no real node can have.
    """
    rows = [
        {"name": f"{_STAND_IN} {number}", "host": _STAND_IN, **row}
        for number, row in enumerate(working.values.get("nodes", ()), 1)
    ]
    defaults: dict[str, Any] = {
        "scenario": "poc" if len(rows) < 3 else "medium",
        "public_url": _URL,
    }
    made: Answers = build_section(root(), {**defaults, **working.values, "nodes": rows})
    return made


def node_keys(working: WorkingCopy, name: str) -> str | None:
    """Where a node stands: ``nodes[1].``; None when there is none of that name."""
    rows = working.values.get("nodes", ())
    return next((f"nodes[{i}]." for i, row in enumerate(rows) if row.get("name") == name), None)


def field_problems(working: WorkingCopy, prefix: str) -> tuple[Problem, ...]:
    """What is wrong with the answers below a prefix, such as ``database.``."""
    return tuple(one for one in working.problems() if one.key.startswith(prefix))


def require_valid(working: WorkingCopy, *prefixes: str) -> None:
    """Raises AnswersError with what is wrong below the prefixes."""
    problems = [one for prefix in prefixes for one in field_problems(working, prefix)]
    if problems:
        told = "; ".join(f"{one.key} {one.message}" for one in problems[:3])
        raise AnswersError(f"correct this first: {told}", problems[0].hint or AGAIN, problems=problems)


def api_names(answers: Answers) -> Sequence[str]:
    """The nodes that will run the API, by their roles or by the layout's."""
    return [name for name, roles in roles_of(answers).items() if "api" in roles]
