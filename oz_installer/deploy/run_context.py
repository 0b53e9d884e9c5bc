"""The platform-neutral view of a run that the runner and shared phases use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from oz_installer.deploy.events import Event, MessageLevel


class RunContext(Protocol):
    """One run: its events, targets and stop request. Compose implements it as ``NodesRun``."""

    cancelled: threading.Event
    undoing: bool

    @property
    def emit(self) -> Callable[[Event], None]:
        """Return the function that hands an event to the front end. Any thread may call it."""
        ...

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target of this run, in the operator's order."""
        ...

    @property
    def changing(self) -> tuple[str, ...]:
        """Targets on which something changes."""
        ...

    def log(self, text: str, target: str | None = None, level: MessageLevel = "info") -> None:
        """Report a line to the front end."""
        ...

    def check_stop(self) -> None:
        """Raise Interrupted once the operator has asked to stop; never while undoing."""
        ...

    def check_cancelled(self) -> None:
        """Raise Interrupted once the operator has asked to stop, or another target has failed."""
        ...

    def recover(self) -> None:
        """Reconnect to lost targets, so that their changes can be undone. Raises nothing."""
        ...

    def not_undone(self) -> tuple[str, ...]:
        """Return what could not be rolled back although no undo failed, one sentence each."""
        ...
