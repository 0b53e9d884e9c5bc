"""FRESH, NOOP and ONE by every tool, in turns, each looked at when it says that it is done."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.nodes import ALL, CHANGED, Seen, clean, verify
from bench.samples import Sample, Samples, measure
from bench.starting import imports
from bench.tools import ANSIBLE, FLOOR, FLOOR_CHECK, FRESH, NOOP, ONE, OURS, PYINFRA, PYINFRA_ARCHIVE, Toolbox
from bench.twins import RTT_MS, Twins
from bench.workload import Workload
from oz_installer.render.compose.bundle import Bundle

# Who deploys in a turn of their own; FLOOR-CHECK joins others' turns, right beside what it is held against.
TURNS = (FLOOR, OURS, PYINFRA, PYINFRA_ARCHIVE, ANSIBLE)


def say(text: str) -> None:
    """Tell how it goes, on stderr."""
    print(text, file=sys.stderr, flush=True)


@dataclass
class Deploying:
    """The state of the nodes between steps. ``slow`` adds the same through the twins."""

    workload: Workload
    toolbox: Toolbox
    samples: Samples
    twins: Twins | None
    repeats: int
    version: itertools.count[int] = field(default_factory=itertools.count)
    bundles: Mapping[str, Bundle] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    imports: Mapping[str, float] = field(default_factory=dict)

    def round(self, number: int, tools: Sequence[str] = TURNS) -> None:
        """One turn each; whoever began in the last round comes last in this one."""
        shift = number % len(tools)
        for tool in (*tools[shift:], *tools[:shift]):
            self.turn(tool, number)

    def turn(self, tool: str, number: int) -> None:
        """Deploy on empty nodes, then again without and with a change, near and far."""
        again = self.repeats if tool in (OURS, FLOOR) else 1
        for _ in range(again):
            clean(self.workload.lab)
            self.bundles = self.workload.write(next(self.version))
            self._step(tool, FRESH, number)
        near_and_far = [(4, False)]
        if self.twins is not None:
            near_and_far += [(1, False), (4, True), (1, True)]
        beside = (FLOOR_CHECK,) if tool == OURS else ()
        for nodes, slow in near_and_far:
            for _ in range(again):
                for one in (tool, *beside):
                    self._step(one, NOOP, number, nodes, slow)
        for nodes, slow in near_and_far:
            for _ in range(again):
                self._step(tool, ONE, number, nodes, slow)
        if tool == FLOOR:
            self._step(FLOOR_CHECK, ONE, number)
        if tool == OURS and not self.imports:
            self.imports = imports(["--answers", str(self.workload.answers(slow=False)), "--yes"])

    def _step(self, tool: str, phase: str, number: int, nodes: int = 4, slow: bool = False) -> None:
        if phase == ONE:
            self.bundles = self.workload.write(next(self.version))
        call = self.toolbox.call(tool, phase, nodes=nodes, slow=slow)
        if slow and self.twins is not None:
            self.twins.forget()
        cost = measure(call.command, self.workload.folder, call.environment)
        trips = self.twins.most_trips() if slow and self.twins is not None else None
        before = None if phase == FRESH else self.seen
        self.seen = verify(self.workload.lab, self.bundles, before, CHANGED if phase == ONE else ALL)
        rtt = RTT_MS if slow else 0
        self.samples.add(
            Sample(tool=tool, phase=phase, nodes=nodes, rtt=rtt, round=number, cost=cost, trips=trips)
        )
        counted = "" if trips is None else f"  {trips} round trips"
        say(f"{number} {tool:21} {phase:5} {nodes} nodes +{rtt:2} ms {cost.seconds:7.2f} s"
            f"  cpu {cost.cpu:5.2f} s  {cost.largest_kib >> 10:4} MiB{counted}")  # fmt: skip
