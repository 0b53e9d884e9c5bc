"""The identity of a process of this workstation, which no later process has again."""

from __future__ import annotations

import os
from pathlib import Path


def process_identity() -> str:
    """``boot id/PID namespace/PID/time of start``; empty where the system does not tell."""
    return _process(os.getpid(), started_at(os.getpid()))


def has_ended(process: str) -> bool:
    """Whether that process was one of this workstation, since its last start, and is no more.

    False for processes of other workstations or containers, of which nothing is known.
    """
    *_, number, started = process.split("/") if process.count("/") == 3 else ("", "")
    if not number.isdigit() or not started or _process(int(number), started) != process:
        return False
    return started_at(int(number)) != started


def _process(number: int, started: str) -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return f"{boot}/{space}/{number}/{started}" if started else ""


def started_at(number: int) -> str:
    """Time of start in clock ticks since boot (proc(5), field 22 of stat); empty: no such process."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *rest = text.rpartition(")")[2].split()
    return "" if state in ("Z", "X") else rest[18]
