"""Preflight findings as text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from oz_installer.text import plural, single_line

if TYPE_CHECKING:
    from oz_installer.checks.context import Finding
    from oz_installer.formatting.row import Row

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


def finding_fields(one: Finding) -> list[tuple[str, str]]:
    """Return the fields that a finding fills, in reading order, each on one line."""
    fields = (("seen", one.seen), ("needed", one.needed), ("why", one.why), ("do", one.hint))
    return [(name, single_line(text)) for name, text in fields if text]


def finding_sentences(one: Finding) -> tuple[str, str]:
    """Return what was seen and is needed, then why and what to do.

    A finding that is ok has only what was seen.
    """
    if one.level == "ok":
        return single_line(one.seen), ""
    needed = f"; needed: {one.needed}" if one.needed else ""
    return single_line(f"{one.seen}{needed}"), single_line(f"{one.why} {one.hint}")


def detail_rows(one: Finding, width: int) -> tuple[Row, ...]:
    """Return all about one finding, wrapped, with the name of each field."""
    where = f" on {one.node}" if one.node else ""
    rows: list[Row] = [(single_line(f"{one.subject}{where}"), "strong")]
    fields = finding_fields(one)
    if one.remedy:
        fields.append(("or", single_line(f"run oz-install check --fix: {one.remedy.title}.")))
    if one.level == "warning":
        fields.append(("id", one.id))
    for name, text in fields:
        head = f"{name.capitalize():<7} "
        wrapped = wrap(text, max(width - len(head), 20), break_on_hyphens=False)
        rows += [((" " * len(head) if n else head) + line, "") for n, line in enumerate(wrapped)]
    return tuple(rows)
