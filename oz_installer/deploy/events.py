"""Events of a run for the front ends. Frozen, small, without secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, field
from time import time
from typing import Any, Literal

from oz_installer.frozen import dataclass

MessageLevel = Literal["info", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events. ``at`` is Unix time in seconds."""

    at: float = field(default_factory=time)

    def as_json(self) -> dict[str, Any]:
        """Return a plain mapping with the event's class name, for --json."""
        return {"event": type(self).__name__, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """The run begins: its phases and its nodes."""

    phases: tuple[str, ...]
    nodes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PhaseStarted(Event):
    """A phase begins; ``number`` counts from 1."""

    phase: str
    number: int
    of: int


@dataclass(frozen=True, kw_only=True)
class PhaseEnded(Event):
    """A phase has ended after ``seconds``."""

    phase: str
    seconds: float
    outcome: Literal["done", "skipped", "failed", "undone"]


@dataclass(frozen=True, kw_only=True)
class NodeProgress(Event):
    """The current work on one node; ``done`` of ``total`` in ``unit`` where it can be counted."""

    node: str
    text: str
    done: int | None = None
    total: int | None = None
    unit: Literal["bytes", "services", "images", ""] = ""


@dataclass(frozen=True, kw_only=True)
class ServiceState(Event):
    """A service changed its state on a node."""

    node: str
    service: str
    state: Literal["starting", "running", "healthy", "unhealthy", "exited", "finished", "removed"]


@dataclass(frozen=True, kw_only=True)
class Message(Event):
    """A line for the log."""

    level: MessageLevel
    text: str
    node: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    """The run has ended."""

    outcome: Literal["done", "nothing to do", "rehearsed", "failed", "interrupted"]
    seconds: float


EmitEvent = Callable[[Event], None]
"""Takes the events of a run, from any thread."""
