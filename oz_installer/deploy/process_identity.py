"""A unique identity for a process of this workstation, safe against reuse of its PID."""

from __future__ import annotations

import os
from pathlib import Path

from oz_installer.text import parse_int


def process_identity() -> str:
    """Return ``boot id/PID namespace/PID/start time``; empty where /proc has none."""
    return _process(os.getpid(), started_at(os.getpid()))


def has_ended(process: str) -> bool:
    """Return whether a process of this workstation, started since its last boot, has ended.

    False for processes of other workstations or containers: their state is unknown.
    """
    *_, number, started = process.split("/") if process.count("/") == 3 else ("", "")
    if parse_int(number) is None or not started or _process(int(number), started) != process:
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
    """Return the start time in clock ticks since boot (field 22 of stat); empty: no process."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *rest = text.rpartition(")")[2].split()
    return "" if state in ("Z", "X") else rest[18]
