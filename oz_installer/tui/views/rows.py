"""Texts as rows with looks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from oz_installer.errors import RERUN_HINT
from oz_installer.tui.steps import step, step_of

if TYPE_CHECKING:
    from oz_installer.errors import Problem
    from oz_installer.formatting.row import Row

_SIGNS = {"+": "good", "-": "bad", "@": "accent", "~": "accent", "!": "warning"}


def plain_rows(text: str) -> tuple[Row, ...]:
    """Return a text as plain rows."""
    return tuple((line, "") for line in text.splitlines())


def plan_rows(text: str) -> tuple[Row, ...]:
    """Colour the text of ``formatting.plan.plan_text`` by its signs; node names are strong."""
    return tuple((line, _plan_look(line)) for line in text.splitlines())


def _plan_look(line: str) -> str:
    if not line.startswith(" "):
        return "strong"
    inner = line[6:] if line.startswith(" " * 6) else line.lstrip()
    return _SIGNS.get(inner[:1], "")


def yaml_rows(text: str) -> tuple[Row, ...]:
    """Return YAML with muted comments."""
    return tuple((line, "muted" if line.lstrip().startswith("#") else "") for line in text.splitlines())


def file_rows(bundles: Mapping[str, Mapping[str, str]]) -> tuple[tuple[Row, tuple[str, str]], ...]:
    """Return a row per node and per file below it, with node and path; a node's path is empty."""
    rows: list[tuple[Row, tuple[str, str]]] = []
    for node, files in bundles.items():
        rows.append(((node, "strong"), (node, "")))
        rows += [((f"  {path}", ""), (node, path)) for path in sorted(files)]
    return tuple(rows)


def problem_rows(problems: Sequence[Problem], width: int) -> tuple[Row, ...]:
    """List the problems to fix before anything can be shown, with their steps."""
    if not problems:
        return (("Working ...", "muted"),)
    rows: list[Row] = [("Fix these answers first:", "strong"), ("", "")]
    for problem in problems:
        hint = f"; {problem.hint}" if problem.hint else ""
        text = f"! {step(step_of(problem.key)).title}: {problem.key} {problem.message}{hint}"
        rows += [(line, "bad") for line in wrap(text, max(width, 20), subsequent_indent="  ")]
    return tuple(rows)


def failure_rows(message: str, hint: str, details: str, width: int) -> tuple[Row, ...]:
    """Return error, hint and log of a failure."""
    room = max(width, 20)
    hint = hint.replace(RERUN_HINT, "Press «Try again» to resume.")  # a button replaces the command
    parts: Iterable[tuple[str, str]] = ((f"error: {message}", "bad"), (hint, ""))
    rows: list[Row] = []
    for text, look in parts:
        for line in text.splitlines():
            rows += [(piece, look) for piece in wrap(line, room) or [""]]
    if details.strip():
        rows += [("", ""), ("Log:", "strong")]
        rows += [(f"  {line}", "muted") for line in details.strip().splitlines()]
    return tuple(rows)
