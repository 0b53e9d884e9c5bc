"""The findings of a preflight as rows: what is wrong comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oz_installer.checks.context import Finding
from oz_installer.formatting.findings import HERE, level_text
from oz_installer.formatting.row import Row
from oz_installer.text import single_line

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy

LOOKS = {"FAILURE": "bad", "warning": "warning", "accepted": "muted", "ok": ""}
ORDER = {"failure": 0, "warning": 1, "ok": 2}


def in_report_order(found: Sequence[Finding], checked: WorkingCopy | None) -> list[Finding]:
    """Sort findings: failures, warnings, then the rest, each by node and check.

    ``checked``: the answers that they judge."""
    answers = checked.answers() if checked is not None and found else None
    if answers is None:
        return list(found)
    from oz_installer.installation.check import in_report_order  # findings come from there: loaded already

    return sorted(in_report_order(found, answers), key=lambda one: ORDER[one.level])


def finding_rows(found: Sequence[Finding], accepted: Sequence[str]) -> tuple[Row, ...]:
    """Return node, check, result and what was seen; each node is named once."""
    nodes = max((len(one.node or HERE) for one in found), default=0)
    subjects = min(max((len(one.subject) for one in found), default=0), 26)
    rows, last = [], ""
    for one in found:
        node = one.node or HERE
        word = level_text(one, accepted)
        named = node if node != last else ""
        text = f"{named:<{nodes}}  {one.subject[:subjects]:<{subjects}}  {word:<8}  {single_line(one.seen)}"
        rows.append((text, LOOKS[word]))
        last = node
    return tuple(rows)
