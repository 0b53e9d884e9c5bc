"""What the table of nodes says in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oz_installer.tui.views.findings import COLOURS, roles_text

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.errors import Problem
    from oz_installer.installation.wizard.role_assignment import NodeRoles
    from oz_installer.tui.widgets.frame import Tone
    from oz_installer.tui.widgets.node_table import Row


def node_row(
    working: WorkingCopy,
    place: int,
    seat: NodeRoles | None,
    state: tuple[str, Tone],
    problems: Sequence[Problem],
) -> Row:
    """Number, name, host, roles, login, and how it stands."""
    roles = roles_text(seat) if seat else ""
    told, tone = (f"! {len(problems)} to mend", "-bad") if problems else state
    return (
        (str(place + 1), "$text-muted"),
        (_shown(working, place, "name"), ""),
        (_shown(working, place, "host"), ""),
        (roles, "$text-error" if roles == "none" else ""),
        (_login(working, place), ""),
        (told, COLOURS[tone] if tone else "$text-muted"),
    )


def node_problems(problems: Sequence[Problem], place: int) -> tuple[Problem, ...]:
    """Those of one node."""
    return tuple(problem for problem in problems if problem.key.startswith(f"nodes[{place}]."))


def _shown(working: WorkingCopy, place: int, name: str) -> str:
    key = f"nodes[{place}].{name}"
    return working.texts.get(key) or str(working.get(key) or "-")


def _login(working: WorkingCopy, place: int) -> str:
    user, port, jump = (working.get(f"nodes[{place}].{name}") for name in ("user", "port", "jump"))
    login = (user or "") + (f":{port}" if port else "")
    return " ".join(part for part in (login or "-", f"via {jump}" if jump else "") if part)
