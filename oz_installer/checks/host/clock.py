"""The check of clocks: each node against this workstation, and the nodes against each other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel
from oz_installer.text import parse_fields

TOLERATED_SECONDS = 2.0
"""Allowance for the answer's transit and a slow login; NTP keeps clocks far closer."""
HARMFUL_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class ClockFacts:
    """``ahead``: seconds that the node's clock is ahead of the workstation's.

    ``synchronised``: whether systemd reports it as synchronised; None when unknown."""

    ahead: float
    synchronised: bool | None = None


class ClockCheck(ShellCheck[ClockFacts]):
    """Compare clocks. Its piece runs last, because the pieces before it may take seconds."""

    name = "clock"
    title = "Clock"

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Print the time at the very end of the output."""
        del context, node
        return "show synchronised soon timedatectl show -p NTPSynchronized --value\nshow time date +%s.%N"

    def parse(self, text: str) -> ClockFacts:
        """Compute the seconds ahead of this workstation's present time. Raises ValueError."""
        values = parse_fields(text)
        known = {"yes": True, "no": False}
        full, _, fraction = values["time"].partition(".")
        seconds = float(f"{int(full)}.{fraction if fraction.isdigit() else 0}")  # busybox knows no %N
        return ClockFacts(ahead=seconds - time.time(), synchronised=known.get(values.get("synchronised", "")))

    def judge(self, context: CheckContext, node: CheckedNode, facts: ClockFacts) -> Iterator[Finding]:
        """Return nothing: only a comparison with the other nodes shows whose clock is wrong."""
        del context, node, facts
        yield from ()

    def across(self, context: CheckContext, facts: Mapping[str, ClockFacts]) -> Iterator[Finding]:
        """Compare every clock with the median of all clocks, this workstation's included."""
        if not facts:
            return
        middle = median([0.0, *(one.ahead for one in facts.values())]) if len(facts) > 1 else 0.0
        for name, one in facts.items():
            yield self._node(context.node(name), one, one.ahead - middle, alone=len(facts) == 1)
        if abs(middle) > TOLERATED_SECONDS:
            yield self.finding(
                None,
                "warning",
                f"this workstation's clock is {_offset_text(-middle)} the nodes'",
                about="workstation",
                why="Times in reports are wrong, and valid tokens and certificates may look expired here.",
                hint="Set this workstation's clock (timedatectl set-ntp true), or accept this.",
            )

    def _node(self, node: CheckedNode | None, facts: ClockFacts, off: float, *, alone: bool) -> Finding:
        reference = "this workstation's" if alone else "the other nodes'"
        if abs(off) <= TOLERATED_SECONDS:
            seen = f"within {TOLERATED_SECONDS:.0f} s of {reference}"
            return self.finding(node, "ok", seen, about="skew")
        level: FindingLevel = "failure" if abs(off) > HARMFUL_SECONDS and not alone else "warning"
        unset = "; it is not synchronised" if facts.synchronised is False else ""
        return self.finding(
            node,
            level,
            f"{_offset_text(off)} {reference}{unset}",
            about="skew",
            needed=f"within {TOLERATED_SECONDS:.0f} s",
            why="Tokens that one node issues are not valid on another, and queued tasks start late.",
            hint="Run timedatectl set-ntp true, with a time server that this node can reach (or use chrony).",
        )


def _offset_text(ahead: float) -> str:
    """Format an offset: ``37 s ahead of``, ``5 min behind``."""
    amount = abs(ahead)
    minutes = f"{amount / 60:.0f} min"
    text = f"{amount:.1f} s" if amount < 10 else f"{amount:.0f} s" if amount < 600 else minutes
    return f"{text} {'ahead of' if ahead > 0 else 'behind'}"
