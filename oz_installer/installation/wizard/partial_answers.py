"""Incomplete answers, completed with stand-ins so that a part of them can be probed."""

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
    """Return answers with stand-ins for missing fields.

    Call ``field_problems`` before using a field. Nodes without a name get a name that no real node can have.
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
    """Return the key prefix of a node, such as ``nodes[1].``; None if there is no such node."""
    rows = working.values.get("nodes", ())
    return next((f"nodes[{i}]." for i, row in enumerate(rows) if row.get("name") == name), None)


def field_problems(working: WorkingCopy, prefix: str) -> tuple[Problem, ...]:
    """Return the problems of the answers below a prefix, such as ``database.``."""
    return tuple(one for one in working.problems() if one.key.startswith(prefix))


def require_valid(working: WorkingCopy, *prefixes: str) -> None:
    """Raise AnswersError with the problems of the answers below the prefixes."""
    problems = [one for prefix in prefixes for one in field_problems(working, prefix)]
    if problems:
        text = "; ".join(f"{one.key} {one.message}" for one in problems[:3])
        raise AnswersError(f"correct this first: {text}", problems[0].hint or AGAIN, problems=problems)


def api_names(answers: Answers) -> Sequence[str]:
    """Return the nodes that will run the API, by their own roles or the layout's."""
    return [name for name, roles in roles_of(answers).items() if "api" in roles]
