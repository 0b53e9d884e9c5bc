"""Results of node tests: which nodes are being tested, what came out, whether it is current."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oz_installer.text import plural

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.catalog.scenario import Resources
    from oz_installer.installation.wizard.probe import NodeProbe
    from oz_installer.installation.wizard.role_assignment import NodeRoles
    from oz_installer.tui.views.styled_rows import Tone

FOR_ALL = ("release", "engine", "install_dir")
"""Answers outside of the node that its test depends on."""


@dataclass(frozen=True, kw_only=True)
class NodeTest:
    """Input and result of one node's test."""

    asked: NodeTestSubject
    probe: NodeProbe


@dataclass(frozen=True, kw_only=True)
class NodeTestSubject:
    """Input of a node's test.

    ``row`` are its answers, ``roles`` its roles and what they require, ``rest`` answers for all nodes.
    """

    row: Mapping[str, Any] = field(repr=False)
    roles: tuple[tuple[str, ...], Resources | None] | None
    rest: tuple[Any, ...]


class NodeTests:
    """Node tests by name of the node; each has its own job.

    ``roles`` are the roles of each node and their requirements, which a test checks.
    """

    def __init__(self) -> None:
        self.roles: Mapping[str, NodeRoles] = {}
        self._known: dict[str, NodeTest] = {}
        self._pending: dict[str, tuple[str, NodeTestSubject]] = {}

    @property
    def pending(self) -> frozenset[str]:
        """Nodes that are being tested."""
        return frozenset(self._pending)

    @property
    def jobs(self) -> frozenset[str]:
        """Jobs that are testing nodes."""
        return frozenset(job for job, _ in self._pending.values())

    def begin(self, job: str, working: WorkingCopy, names: Iterable[str]) -> None:
        """Record that a job starts to test these nodes."""
        for name in names:
            if (asked := self._asked(working, name)) is not None:
                self._pending[name] = (job, asked)
                self._known.pop(name, None)

    def record(self, probe: NodeProbe) -> None:
        """Record the result of one node."""
        if probe.node in self._pending:
            _, asked = self._pending.pop(probe.node)
            self._known[probe.node] = NodeTest(asked=asked, probe=probe)

    def end(self, job: str) -> None:
        """Drop the pending nodes of a job that has ended."""
        self._pending = {name: begun for name, begun in self._pending.items() if begun[0] != job}

    def of(self, working: WorkingCopy, name: str) -> NodeProbe | None:
        """Return the result of a node; None unless it was tested with its current answers."""
        test = self._known.get(name)
        return test.probe if test and test.asked == self._asked(working, name) else None

    def _asked(self, working: WorkingCopy, name: str) -> NodeTestSubject | None:
        """Return the current input for a test; None when there is no such node."""
        if (row := row_of(working, name)) is None:
            return None
        rest = tuple(working.get(key) for key in FOR_ALL)
        roles = self.roles.get(name)
        needed = None if roles is None else (roles.roles, roles.needs)
        return NodeTestSubject(row=without_roles(row), roles=needed, rest=rest)

    def why_stale(self, working: WorkingCopy, name: str) -> str:
        """Return what has changed since a node was tested; empty when nothing has."""
        test, now = self._known.get(name), self._asked(working, name)
        if test is None or now is None or test.asked == now:
            return ""
        then = test.asked
        if then.row != now.row:
            return "Its answers have changed since the test: test it again."
        if then.roles != now.roles:
            return "Its role or requirements have changed since the test: test it again."
        return "Release, engine or install folder have changed since the test: test it again."

    def facts(self, working: WorkingCopy, name: str) -> tuple[tuple[str, str], ...]:
        """Return the facts of a node, which stay valid while its own answers are the same."""
        test, now = self._known.get(name), self._asked(working, name)
        return test.probe.facts if test and now and test.asked.row == now.row else ()

    def unknown_keys(self, working: WorkingCopy) -> Mapping[str, str]:
        """Return the fingerprints that the operator may accept, by node."""
        probes = (self.of(working, name) for name in self._known)
        return {one.node: one.fingerprint for one in probes if one is not None and may_accept(one) is not None
                and one.fingerprint is not None}  # fmt: skip


def without_roles(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a node's answers without its roles, which ``roles`` holds."""
    return {name: value for name, value in row.items() if name != "roles"}


def may_accept(probe: NodeProbe) -> str | None:
    """Return the fingerprint of an unknown key that the operator may accept."""
    return probe.fingerprint if probe.key_known == "unknown" and not probe.connected else None


def row_of(working: WorkingCopy, name: str) -> Mapping[str, Any] | None:
    """Return a node's answers; None when there is no such node."""
    rows: Iterable[Mapping[str, Any]] = working.values.get("nodes", ())
    return next((row for row in rows if row.get("name") == name), None)


def worst(tones: Iterable[Tone]) -> Tone:
    """Return the most severe tone."""
    seen = frozenset(tones)
    order: tuple[Tone, ...] = ("-bad", "-warning", "-good")
    for tone in order:
        if tone in seen:
            return tone
    return ""


def short_result(probe: NodeProbe) -> tuple[str, Tone]:
    """Return the result in a few characters, and its tone."""
    if not probe.connected:
        if probe.key_known == "changed":
            return "! KEY CHANGED", "-bad"
        return ("? new key", "-warning") if may_accept(probe) else ("! failed", "-bad")
    if probe.error:
        return "! failed", "-bad"
    failures = sum(one.level == "failure" for one in probe.findings)
    warnings = sum(one.level == "warning" for one in probe.findings)
    if failures:
        return f"! {plural(failures, 'failure')}", "-bad"
    return (plural(warnings, "warning"), "-warning") if warnings else ("ok", "-good")
