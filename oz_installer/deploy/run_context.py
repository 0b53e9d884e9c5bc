"""A run as the runner and neutral phases see it, whatever platform it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from oz_installer.deploy.events import Event, Level


class RunContext(Protocol):
    """One run: events, what changes, stopping. Compose implements it as ``NodesRun``."""

    cancelled: threading.Event
    undoing: bool

    @property
    def emit(self) -> Callable[[Event], None]:
        """Hand an event to the front end. Any thread may call."""
        ...

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target of this run, in the operator's order."""
        ...

    @property
    def changing(self) -> tuple[str, ...]:
        """Targets on which something changes."""
        ...

    def log(self, text: str, target: str | None = None, level: Level = "info") -> None:
        """Report a line to the front end."""
        ...

    def check_stop(self) -> None:
        """Raise Interrupted once the operator has asked to stop; never while undoing."""
        ...

    def check_cancelled(self) -> None:
        """Raise Interrupted once the operator has asked to stop, or another target has failed."""
        ...

    def recover(self) -> None:
        """Reconnect to the targets that were lost, so that their changes can be undone. Raises nothing."""
        ...
