"""Clocks: of each node beside this workstation's, and of the nodes beside each other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Level
from oz_installer.text import parse_fields

TOLERATED_SECONDS = 2.0
"""What an answer's way back and a slow login may cost; NTP keeps clocks far closer."""
HARMFUL_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class ClockFacts:
    """``ahead``: seconds by which the node's clock is ahead of the workstation's. ``synchronised``: systemd
    says that it is kept right; None where nothing tells."""

    ahead: float
    synchronised: bool | None = None


class ClockCheck(ShellCheck[ClockFacts]):
    """Stands last among the looks: what is asked before it may take seconds."""

    name = "clock"
    title = "Clock"

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """The time, right before the answer ends."""
        del context, node
        return "show synchronised soon timedatectl show -p NTPSynchronized --value\nshow time date +%s.%N"

    def parse(self, text: str) -> ClockFacts:
        """Seconds ahead of this very moment here. Raises ValueError."""
        told = parse_fields(text)
        known = {"yes": True, "no": False}
        whole, _, part = told["time"].partition(".")
        seconds = float(f"{int(whole)}.{part if part.isdigit() else 0}")  # busybox knows no %N
        return ClockFacts(ahead=seconds - time.time(), synchronised=known.get(told.get("synchronised", "")))

    def judge(self, context: CheckContext, node: CheckedNode, facts: ClockFacts) -> Iterator[Finding]:
        """Nothing alone: whether this clock or the workstation's is wrong, only the others can tell."""
        del context, node, facts
        yield from ()

    def across(self, context: CheckContext, facts: Mapping[str, ClockFacts]) -> Iterator[Finding]:
        """What most clocks agree on, this workstation's among them, is taken as the time."""
        if not facts:
            return
        middle = median([0.0, *(one.ahead for one in facts.values())]) if len(facts) > 1 else 0.0
        for name, one in facts.items():
            yield self._node(context.node(name), one, one.ahead - middle, alone=len(facts) == 1)
        if abs(middle) > TOLERATED_SECONDS:
            yield self.finding(
                None,
                "warning",
                f"this workstation's clock is {_words(-middle)} the nodes'",
                about="workstation",
                why="Times in reports are wrong, and tokens and certificates may look out of date here.",
                hint="Set this workstation's clock (timedatectl set-ntp true), or accept this.",
            )

    def _node(self, node: CheckedNode | None, facts: ClockFacts, off: float, *, alone: bool) -> Finding:
        other = "this workstation's" if alone else "the other nodes'"
        if abs(off) <= TOLERATED_SECONDS:
            seen = f"within {TOLERATED_SECONDS:.0f} s of {other}"
            return self.finding(node, "ok", seen, about="skew")
        level: Level = "failure" if abs(off) > HARMFUL_SECONDS and not alone else "warning"
        unset = "; nothing synchronises it" if facts.synchronised is False else ""
        return self.finding(
            node,
            level,
            f"{_words(off)} {other}{unset}",
            about="skew",
            needed=f"within {TOLERATED_SECONDS:.0f} s",
            why="Tokens that one node gives are not valid on another, and tasks of the queues start late.",
            hint="Set it: timedatectl set-ntp true, with a time server that this node can reach (or chrony).",
        )


def _words(ahead: float) -> str:
    """``37 s ahead of``, ``5 min behind``."""
    amount = abs(ahead)
    minutes = f"{amount / 60:.0f} min"
    text = f"{amount:.1f} s" if amount < 10 else f"{amount:.0f} s" if amount < 600 else minutes
    return f"{text} {'ahead of' if ahead > 0 else 'behind'}"
