"""Preflight findings as text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from oz_installer.text import plural

if TYPE_CHECKING:
    from oz_installer.checks.context import Finding

HERE = "workstation"
"""Stands for the node in findings that belong to none."""


def level_text(one: Finding, accepted: Collection[str]) -> str:
    """Return ``ok``, ``warning``, ``accepted`` or ``FAILURE``."""
    if one.is_accepted(accepted):
        return "accepted"
    return "FAILURE" if one.level == "failure" else one.level


def total_text(found: Sequence[Finding], accepted: Collection[str]) -> str:
    """Return ``24 checks: 20 ok, 3 warnings (1 accepted), 1 failure``."""
    failures = sum(one.level == "failure" for one in found)
    warnings = sum(one.level == "warning" for one in found)
    waived = sum(one.is_accepted(accepted) for one in found)
    of_these = f" ({waived} accepted)" if waived else ""
    return (
        f"{plural(len(found), 'check')}: {len(found) - failures - warnings} ok, "
        f"{plural(warnings, 'warning')}{of_these}, {plural(failures, 'failure')}"
    )
