"""The preflight of four healthy nodes: the whole of it, and each check alone."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.samples import Sample, Samples, measure
from bench.workload import Workload
from oz_installer.checks.all_checks import CHECKS

CHECK = "CHECK"
WHOLE = "the whole preflight"


def checks(workload: Workload, samples: Samples, scratch: Path, runs: int) -> None:
    """Each in turn, all runs; the first only warms up. Raises ToolFailedError when one finds a failure."""
    program = str(Path(sys.executable).with_name("oz-install"))
    base = [program, "check", "--answers", str(workload.answers(slow=False))]
    commands = {WHOLE: base, **{check.name: [*base, "--only", check.name] for check in CHECKS}}
    for number in range(-1, max(2 * runs, 3)):
        for name, command in commands.items():
            cost = measure(command, scratch)
            if number >= 0:
                samples.add(Sample(tool=name, phase=CHECK, nodes=4, round=number, cost=cost))
