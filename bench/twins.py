"""Starts and stops the nodes' slow twins, and reads how many round trips they saw."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.workload import NODES, SLOW_PORT, Workload

RTT_MS = 20


@dataclass(frozen=True)
class Twins:
    """The running forwarders; each writes into ``reports`` when a connection has ended."""

    reports: Path

    def forget(self) -> None:
        """Start counting anew."""
        for node in NODES:
            (self.reports / node).write_text("")

    def most_trips(self) -> int:
        """Round trips of the busiest node since ``forget``, all its connections together."""
        time.sleep(0.2)  # the last connection's line
        counts = []
        for node in NODES:
            lines = (self.reports / node).read_text().splitlines()
            counts.append(sum(int(line.split()[1]) for line in lines))
        return max(counts)


@contextlib.contextmanager
def twins(workload: Workload) -> Iterator[Twins]:
    """One forwarder a node, in the node's own network: only the port is another."""
    reports = workload.folder / "trips"
    reports.mkdir(parents=True, exist_ok=True)
    found = Twins(reports)
    found.forget()
    running = []
    try:
        for number, node in enumerate(NODES, 1):
            container = workload.lab.node(number).container
            address, _ = workload.endpoint(node, slow=True)
            pair = f"{address}:{SLOW_PORT}=127.0.0.1:22"
            command = [sys.executable, "-m", "bench.proxy", str(reports / node), str(RTT_MS), pair]
            enter = ["nsenter", f"--net=/proc/{_pid(container)}/ns/net", *command]
            running.append(subprocess.Popen(enter, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        for process in running:
            if process.stdout is None or process.stdout.readline().strip() != "ready":
                raise RuntimeError("a forwarder did not start")
        yield found
    finally:
        for process in running:
            with contextlib.suppress(OSError):
                process.communicate("", timeout=10)


def _pid(container: str) -> int:
    done = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout)[0]["State"]["Pid"])
