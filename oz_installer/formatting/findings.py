"""Findings of the preflight in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from oz_installer.text import plural

if TYPE_CHECKING:
    from oz_installer.checks.context import Finding

HERE = "workstation"
"""Where a finding of no node belongs."""


def level_text(one: Finding, accepted: Collection[str]) -> str:
    """``ok``, ``warning``, ``accepted``, ``FAILURE``."""
    if one.is_accepted(accepted):
        return "accepted"
    return "FAILURE" if one.level == "failure" else one.level


def total_text(found: Sequence[Finding], accepted: Collection[str]) -> str:
    """``24 checks: 20 ok, 3 warnings (1 accepted), 1 failure``."""
    failures = sum(one.level == "failure" for one in found)
    warnings = sum(one.level == "warning" for one in found)
    known = sum(one.is_accepted(accepted) for one in found)
    behind = f" ({known} accepted)" if known else ""
    return (
        f"{plural(len(found), 'check')}: {len(found) - failures - warnings} ok, "
        f"{plural(warnings, 'warning')}{behind}, {plural(failures, 'failure')}"
    )
