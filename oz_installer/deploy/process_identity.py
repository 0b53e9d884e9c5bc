"""A unique identity for a process of this workstation, safe against reuse of its PID."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from oz_installer.text import parse_int

MACHINE_ID = Path("/etc/machine-id")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def process_identity() -> str:
    """Return ``machine/boot id/PID namespace/PID/start time``; empty where /proc has none.

    The machine is empty where it has no id.
    """
    return _process(os.getpid(), started_at(os.getpid()))


def has_ended(process: str) -> bool:
    """Return whether a process of this workstation has ended; one of an earlier boot has.

    False for processes of other workstations or containers: their state is unknown.
    """
    parts = process.split("/")
    if len(parts) != 5 or parse_int(parts[3]) is None or not parts[4]:
        return False
    machine, boot, *_ = parts
    ours = _process(int(parts[3]), parts[4])
    if process == ours:
        return started_at(int(parts[3])) != parts[4]
    now = ours.split("/")
    return len(now) == 5 and bool(machine) and machine == now[0] and bool(boot) and boot != now[1]


def _machine() -> str:
    """Return a digest of the machine's id and name: copies of one image may share the id."""
    try:
        known = MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    if len(known) != 32:  # not written yet, as in images
        return ""
    return hashlib.sha256(f"oz-install {known} {os.uname().nodename}".encode()).hexdigest()[:16]


def _process(number: int, started: str) -> str:
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return f"{_machine()}/{boot}/{space}/{number}/{started}" if started else ""


def started_at(number: int) -> str:
    """Return the start time in clock ticks since boot (field 22 of stat); empty: no process."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *rest = text.rpartition(")")[2].split()
    return "" if state in ("Z", "X") else rest[18]
