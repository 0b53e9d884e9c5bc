"""Queue of events from the run's threads to the screen, which is woken ten times a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from oz_installer.formatting.events import event_lines, progress_text
from oz_installer.text import one_line

if TYPE_CHECKING:
    from oz_installer.deploy.events import Event

MOST = 250
"""Most events that are handled in one go: keys wait for that long."""

PACE = 0.1
"""Least seconds between two repaints."""


@dataclass(frozen=True, kw_only=True)
class LoggedEvent:
    """An event with its log lines, which the sending thread formats."""

    event: Event
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FeedReady:
    """The feed has events to take."""


class EventFeed:
    """Thread-safe queue of events. ``wake`` is called when the empty queue gets an event."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.wake: Callable[[object], None] = lambda _report: None
        self._clock = clock
        self._queue: deque[LoggedEvent] = deque()
        self._lock = Lock()
        self._announced = False
        self._taken = -PACE

    def put(self, event: Event) -> None:
        """Add an event. Any thread may call this."""
        from oz_installer.deploy.events import NodeProgress

        lines = (progress_text(event),) if isinstance(event, NodeProgress) else tuple(event_lines(event))
        logged = LoggedEvent(event=event, lines=tuple(one_line(line) for line in lines))
        with self._lock:
            self._queue.append(logged)
            wake, self._announced = not self._announced, True
        if wake:
            self.wake(FeedReady())

    def delay(self) -> float:
        """Return the seconds that the screen should wait before it takes events."""
        return max(self._taken + PACE - self._clock(), 0.0)

    def take(self) -> tuple[tuple[LoggedEvent, ...], bool]:
        """Take events, oldest first; return them and whether more are waiting."""
        with self._lock:
            taken = tuple(self._queue.popleft() for _ in range(min(len(self._queue), MOST)))
            more = bool(self._queue)
            self._announced = more
            self._taken = self._clock()
        return taken, more
