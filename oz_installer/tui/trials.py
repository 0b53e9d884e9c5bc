"""What is known of nodes that were tried: which are being tried, what came out, whether it still holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oz_installer.answers.working import Working
    from oz_installer.catalog.model import Resources
    from oz_installer.installation.trying import Tried
    from oz_installer.tui.widgets.bars import Tone


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How one node was tried. ``row`` holds the answers and needs that it was tried with."""

    row: Mapping[str, Any] = field(repr=False)
    tried: Tried


class Trials:
    """By name of the node. Each test has a job of its own. ``needs`` is what the layout asks of each node,
    which a test has judged."""

    def __init__(self) -> None:
        self.needs: Mapping[str, Resources | None] = {}
        self._known: dict[str, Trial] = {}
        self._pending: dict[str, tuple[str, Mapping[str, Any]]] = {}

    @property
    def pending(self) -> frozenset[str]:
        """Nodes that are being tried now."""
        return frozenset(self._pending)

    @property
    def jobs(self) -> frozenset[str]:
        """The jobs that try them."""
        return frozenset(job for job, _ in self._pending.values())

    def begin(self, job: str, working: Working, names: Iterable[str]) -> None:
        """A job tries these nodes now."""
        for name in names:
            if (row := self._asked(working, name)) is not None:
                self._pending[name] = (job, row)
                self._known.pop(name, None)

    def heard(self, tried: Tried) -> None:
        """One of them answered."""
        if tried.node in self._pending:
            _, row = self._pending.pop(tried.node)
            self._known[tried.node] = Trial(row=row, tried=tried)

    def end(self, job: str) -> None:
        """A job is over: what it did not tell of was not tried."""
        self._pending = {name: begun for name, begun in self._pending.items() if begun[0] != job}

    def of(self, working: Working, name: str) -> Tried | None:
        """What is known of a node; None when it was not tried with its answers of now."""
        trial = self._known.get(name)
        return trial.tried if trial and trial.row == self._asked(working, name) else None

    def _asked(self, working: Working, name: str) -> Mapping[str, Any] | None:
        """What a test of a node is about; None when there is no such node."""
        row = row_of(working, name)
        return None if row is None else {**row, "needs": self.needs.get(name)}

    def is_stale(self, working: Working, name: str) -> bool:
        """Whether a node's answers have changed since it was tried."""
        return name in self._known and self.of(working, name) is None

    def unknown_keys(self, working: Working) -> Mapping[str, str]:
        """Fingerprints by node that the operator may accept."""
        tried = (self.of(working, name) for name in self._known)
        return {one.node: one.fingerprint for one in tried if one is not None and may_accept(one) is not None
                and one.fingerprint is not None}  # fmt: skip


def may_accept(tried: Tried) -> str | None:
    """The fingerprint of a key that the operator may accept."""
    return tried.fingerprint if tried.key_known == "unknown" and not tried.reached else None


def row_of(working: Working, name: str) -> Mapping[str, Any] | None:
    """A node's answers; None when there is no such node."""
    rows: Iterable[Mapping[str, Any]] = working.values.get("nodes", ())
    return next((row for row in rows if row.get("name") == name), None)


def worst(tones: Iterable[Tone]) -> Tone:
    """The colour of what is said of several nodes at once."""
    seen = frozenset(tones)
    order: tuple[Tone, ...] = ("-bad", "-warning", "-good")
    return next((tone for tone in order if tone in seen), "")


def in_short(tried: Tried) -> tuple[str, Tone]:
    """How it went, in a few characters, and how that is to be coloured."""
    if not tried.reached:
        if tried.key_known == "changed":
            return "! KEY CHANGED", "-bad"
        return ("? new key", "-warning") if may_accept(tried) else ("! failed", "-bad")
    if tried.error:
        return "! failed", "-bad"
    failures = sum(one.level == "failure" for one in tried.findings)
    warnings = sum(one.level == "warning" for one in tried.findings)
    if failures:
        return f"! {failures} failure{'s' if failures > 1 else ''}", "-bad"
    return (f"? {warnings} short" if warnings else "ok", "-warning" if warnings else "-good")
