"""Apply a prepared plan."""

from __future__ import annotations

import threading
from collections.abc import Callable

from oz_installer.deploy.events import Event
from oz_installer.deploy.gate import Gate, LiveGate
from oz_installer.installation.prepare import Prepared


def apply(
    prepared: Prepared,
    on_event: Callable[[Event], None],
    *,
    gate: Gate | None = None,
    health_timeout: float | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Apply the plan. Without a ``gate`` it changes the targets and writes the report.

    Raises DeployError, PreflightError, LockedError or Interrupted; after an error the changes are
    rolled back. Setting ``stop`` asks it to stop. ``health_timeout`` in seconds.
    """
    from oz_installer.deploy.runner import run_phases

    report, connection = prepared.report, prepared.connection
    emit = on_event if gate else report.recording(on_event)
    run = connection.run(
        prepared.plan, emit, gate=gate or LiveGate(), health_timeout=health_timeout, stop=stop
    )
    try:
        run_phases(connection.install_recipe(), run)
    except Exception as error:
        report.failed(error)
        raise
    finally:
        report.write()
