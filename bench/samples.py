"""What was measured, and how samples become figures."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

STOPWATCH = Path(__file__).with_name("stopwatch.py")


class ToolFailedError(Exception):
    """A measured command ended badly; its last words."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Wall and processor seconds of a command and its children, and the memory of the largest of them."""

    seconds: float
    cpu: float
    largest_kib: int


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measured command. ``rtt`` is what was added to the round trip, in milliseconds."""

    tool: str
    phase: str
    nodes: int
    rtt: int = 0
    round: int = 0
    cost: Cost
    trips: int | None = None


def plain_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of measured commands: byte code may be kept, as where a tool is installed."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "SSH_AUTH_SOCK")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return {**kept, "LC_ALL": "C.UTF-8", **(extra or {})}


def measure(command: Sequence[str], scratch: Path, extra: Mapping[str, str] | None = None) -> Cost:
    """Run a command under the stopwatch. Raises ToolFailedError."""
    report = scratch / "cost.json"
    output = scratch / "output"
    with output.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-E", str(STOPWATCH), str(report), *command],
            env=plain_environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        said = output.read_text(errors="replace")[-3000:]
        raise ToolFailedError(f"{' '.join(command[:4])} ended with status {done.returncode}:\n{said}")
    return Cost(**json.loads(report.read_text()))


class Samples:
    """All samples of a run; kept in a file as they come, so that a broken run still tells something."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._all: list[Sample] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")

    def add(self, sample: Sample) -> None:
        """Keep one."""
        self._all.append(sample)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(sample)) + "\n")

    def pick(self, tool: str, phase: str, nodes: int = 4, rtt: int = 0) -> list[Sample]:
        """Those of one cell."""
        wanted = (tool, phase, nodes, rtt)
        return [one for one in self._all if (one.tool, one.phase, one.nodes, one.rtt) == wanted]

    def of(self, tool: str) -> list[Sample]:
        """All of one tool."""
        return [one for one in self._all if one.tool == tool]

    def seconds(self, tool: str, phase: str, nodes: int = 4, rtt: int = 0) -> float | None:
        """Median of the wall time."""
        return median(one.cost.seconds for one in self.pick(tool, phase, nodes, rtt))

    def trips(self, tool: str, phase: str, nodes: int, rtt: int) -> float | None:
        """Median of the round trips of the busiest connection."""
        return median(one.trips for one in self.pick(tool, phase, nodes, rtt) if one.trips is not None)

    def largest_mb(self, tool: str) -> dict[str, float]:
        """The most memory that a process had, by phase, in MB of 10^6 bytes."""
        found: dict[str, float] = {}
        for one in self._all:
            if one.tool == tool:
                found[one.phase] = max(found.get(one.phase, 0.0), one.cost.largest_kib * 1024 / 1e6)
        return found


def median(values: Iterable[float]) -> float | None:
    """The median; None of nothing."""
    known = list(values)
    return statistics.median(known) if known else None


def percentile(values: Iterable[float], share: float) -> float | None:
    """The least value that so large a share is not above; None of nothing."""
    known = sorted(values)
    return known[max(math.ceil(share * len(known)) - 1, 0)] if known else None


def ratio(value: float | None, base: float | None) -> float | None:
    """How many times ``base``; None where either is missing."""
    return None if value is None or not base else value / base
