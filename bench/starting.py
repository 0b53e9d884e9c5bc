"""What starting costs: help, version, and the imports on the way to «nothing to do»."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.samples import Sample, Samples, measure, plain_environment
from bench.tools import OURS

START = "START"
BARE = "python -c pass"
HEAVY = ("textual", "paramiko", "docker", "pydantic")


def starts(samples: Samples, scratch: Path, runs: int) -> None:
    """Medians of short commands, in turns; the first round only warms up."""
    program = str(Path(sys.executable).with_name("oz-install"))
    commands = {
        BARE: [sys.executable, "-c", "pass"],
        f"{OURS} --version": [program, "--version"],
        f"{OURS} --help": [program, "--help"],
    }
    for number in range(-1, max(5 * runs, 5)):
        for name, command in commands.items():
            cost = measure(command, scratch)
            if number >= 0:
                samples.add(Sample(tool=name, phase=START, nodes=0, round=number, cost=cost))


def imports(arguments: Iterable[str]) -> dict[str, float]:
    """Milliseconds that a command spends in loading the modules of each package; the slowest first."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "oz_installer", *arguments],
        env=plain_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return by_package(done.stderr)


def by_package(report: str) -> dict[str, float]:
    """Sum up what ``-X importtime`` prints."""
    found: Counter[str] = Counter()
    for line in report.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and len(parts) == 3 and parts[0].strip().isdigit():
            found[parts[2].strip().split(".")[0]] += int(parts[0])
    return {name: micros / 1000 for name, micros in found.most_common()}


def heavy_modules(arguments: Iterable[str]) -> tuple[str, ...]:
    """Which of the heavy packages a command loads."""
    loaded = imports(arguments)
    return tuple(name for name in HEAVY if name in loaded)
