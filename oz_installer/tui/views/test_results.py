"""What is known of nodes that were tried: which are being tried, what came out, whether it still holds."""

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
    from oz_installer.tui.widgets.frame import Tone

FOR_ALL = ("release", "engine", "install_dir")
"""Answers of no single node that a test depends on."""


@dataclass(frozen=True, kw_only=True)
class NodeTest:
    """How one node was tried, and with what."""

    asked: TestSubject
    tried: NodeProbe


@dataclass(frozen=True, kw_only=True)
class TestSubject:
    """What a test of a node is about: its answers (``row``), its roles and what they need (``seat``), and
    answers that concern every node (``rest``)."""

    row: Mapping[str, Any] = field(repr=False)
    seat: tuple[tuple[str, ...], Resources | None] | None
    rest: tuple[Any, ...]


class NodeTests:
    """By name of the node. Each test has a job of its own. ``seats`` are the roles that the layout gives each
    node and what it asks of it, which a test has judged."""

    def __init__(self) -> None:
        self.seats: Mapping[str, NodeRoles] = {}
        self._known: dict[str, NodeTest] = {}
        self._pending: dict[str, tuple[str, TestSubject]] = {}

    @property
    def pending(self) -> frozenset[str]:
        """Nodes that are being tried now."""
        return frozenset(self._pending)

    @property
    def jobs(self) -> frozenset[str]:
        """The jobs that try them."""
        return frozenset(job for job, _ in self._pending.values())

    def begin(self, job: str, working: WorkingCopy, names: Iterable[str]) -> None:
        """A job tries these nodes now."""
        for name in names:
            if (asked := self._asked(working, name)) is not None:
                self._pending[name] = (job, asked)
                self._known.pop(name, None)

    def heard(self, tried: NodeProbe) -> None:
        """One of them answered."""
        if tried.node in self._pending:
            _, asked = self._pending.pop(tried.node)
            self._known[tried.node] = NodeTest(asked=asked, tried=tried)

    def end(self, job: str) -> None:
        """A job is over: what it did not tell of was not tried."""
        self._pending = {name: begun for name, begun in self._pending.items() if begun[0] != job}

    def of(self, working: WorkingCopy, name: str) -> NodeProbe | None:
        """What is known of a node; None when it was not tried with its answers of now."""
        trial = self._known.get(name)
        return trial.tried if trial and trial.asked == self._asked(working, name) else None

    def _asked(self, working: WorkingCopy, name: str) -> TestSubject | None:
        """None when there is no such node."""
        if (row := row_of(working, name)) is None:
            return None
        rest = tuple(working.get(key) for key in FOR_ALL)
        seat = self.seats.get(name)
        needed = None if seat is None else (seat.roles, seat.needs)
        return TestSubject(row=without_roles(row), seat=needed, rest=rest)

    def why_stale(self, working: WorkingCopy, name: str) -> str:
        """What has changed since a node was tried, so that it must be tried again; empty when nothing has."""
        trial, now = self._known.get(name), self._asked(working, name)
        if trial is None or now is None or trial.asked == now:
            return ""
        then = trial.asked
        if then.row != now.row:
            return "Its answers have changed since it was tested: test it again."
        if then.seat != now.seat:
            return "Tested before its role, or what that needs, changed: test it again."
        return "Tested before the release, the engine or the install folder changed: test it again."

    def facts(self, working: WorkingCopy, name: str) -> tuple[tuple[str, str], ...]:
        """What a node is, as long as it is the same one, whatever is asked of it."""
        trial, now = self._known.get(name), self._asked(working, name)
        return trial.tried.facts if trial and now and trial.asked.row == now.row else ()

    def unknown_keys(self, working: WorkingCopy) -> Mapping[str, str]:
        """Fingerprints by node that the operator may accept."""
        tried = (self.of(working, name) for name in self._known)
        return {one.node: one.fingerprint for one in tried if one is not None and may_accept(one) is not None
                and one.fingerprint is not None}  # fmt: skip


def without_roles(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A node's answers but for its roles, which its seat tells, too."""
    return {name: value for name, value in row.items() if name != "roles"}


def may_accept(tried: NodeProbe) -> str | None:
    """The fingerprint of a key that the operator may accept."""
    return tried.fingerprint if tried.key_known == "unknown" and not tried.connected else None


def row_of(working: WorkingCopy, name: str) -> Mapping[str, Any] | None:
    """A node's answers; None when there is no such node."""
    rows: Iterable[Mapping[str, Any]] = working.values.get("nodes", ())
    return next((row for row in rows if row.get("name") == name), None)


def worst(tones: Iterable[Tone]) -> Tone:
    """The colour of what is said of several nodes at once."""
    seen = frozenset(tones)
    order: tuple[Tone, ...] = ("-bad", "-warning", "-good")
    for tone in order:
        if tone in seen:
            return tone
    return ""


def short_result(tried: NodeProbe) -> tuple[str, Tone]:
    """How it went, in a few characters, and how that is to be coloured."""
    if not tried.connected:
        if tried.key_known == "changed":
            return "! KEY CHANGED", "-bad"
        return ("? new key", "-warning") if may_accept(tried) else ("! failed", "-bad")
    if tried.error:
        return "! failed", "-bad"
    failures = sum(one.level == "failure" for one in tried.findings)
    warnings = sum(one.level == "warning" for one in tried.findings)
    if failures:
        return f"! {plural(failures, 'failure')}", "-bad"
    return (f"? {warnings} short" if warnings else "ok", "-warning" if warnings else "-good")
