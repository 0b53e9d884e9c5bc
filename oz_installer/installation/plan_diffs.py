"""Diffs of the files of a plan."""

from __future__ import annotations

import threading

from oz_installer.deploy.plan import Plan
from oz_installer.installation.prepare import Prepared


def with_diffs(prepared: Prepared, stop: threading.Event | None = None) -> Plan:
    """Return the plan with a unified diff of every file that differs, secrets masked.

    A target without an installation gets no diffs: ``render`` shows its files. Raises
    Interrupted soon after ``stop`` is set.
    """
    return prepared.connection.with_diffs(prepared.plan, stop)
