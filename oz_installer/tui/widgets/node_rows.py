"""Cells of the table of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oz_installer.tui.views.findings import COLOURS, roles_text

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.errors import Problem
    from oz_installer.installation.wizard.role_assignment import NodeRoles
    from oz_installer.tui.views.styled_rows import Tone
    from oz_installer.tui.widgets.node_table import Cells


def node_row(
    working: WorkingCopy,
    index: int,
    node_roles: NodeRoles | None,
    state: tuple[str, Tone],
    problems: Sequence[Problem],
) -> Cells:
    """Return number, name, host, roles, login and test state of a node."""
    roles = roles_text(node_roles) if node_roles else ""
    text, tone = (f"! {len(problems)} to fix", "-bad") if problems else state
    return (
        (str(index + 1), "$text-muted"),
        (_shown(working, index, "name"), ""),
        (_shown(working, index, "host"), ""),
        (roles, "$text-error" if roles == "none" else ""),
        (_login(working, index), ""),
        (text, COLOURS[tone] if tone else "$text-muted"),
    )


def node_problems(problems: Sequence[Problem], index: int) -> tuple[Problem, ...]:
    """Return the problems of one node."""
    return tuple(problem for problem in problems if problem.key.startswith(f"nodes[{index}]."))


def _shown(working: WorkingCopy, index: int, name: str) -> str:
    key = f"nodes[{index}].{name}"
    return working.texts.get(key) or str(working.get(key) or "-")


def _login(working: WorkingCopy, index: int) -> str:
    user, port, jump = (working.get(f"nodes[{index}].{name}") for name in ("user", "port", "jump"))
    login = (user or "") + (f":{port}" if port else "")
    return " ".join(part for part in (login or "-", f"via {jump}" if jump else "") if part)


def node_names(working: WorkingCopy) -> list[object]:
    """Return the names of the nodes, in order."""
    return [working.get(f"nodes[{index}].name") for index in range(working.nodes())]
