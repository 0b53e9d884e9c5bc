"""From the threads of a run to the screen: nothing is lost, and it is woken ten times a second at most."""

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
"""No more events are handled at once: the keys wait meanwhile."""

PACE = 0.1
"""Seconds between two repaints."""


@dataclass(frozen=True, kw_only=True)
class LoggedEvent:
    """An event and the lines that it is worth in a log; worked out in the thread that told it."""

    event: Event
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FeedReady:
    """There is something to take out of the feed."""


class EventFeed:
    """Any thread puts in, the screen takes out. ``wake`` is told when there is something again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.wake: Callable[[object], None] = lambda _news: None
        self._clock = clock
        self._queue: deque[LoggedEvent] = deque()
        self._lock = Lock()
        self._told = False
        self._taken = -PACE

    def put(self, event: Event) -> None:
        """Any thread may call."""
        from oz_installer.deploy.events import NodeProgress

        said = (progress_text(event),) if isinstance(event, NodeProgress) else tuple(event_lines(event))
        heard = LoggedEvent(event=event, lines=tuple(one_line(line) for line in said))
        with self._lock:
            self._queue.append(heard)
            wake, self._told = not self._told, True
        if wake:
            self.wake(FeedReady())

    def delay(self) -> float:
        """How long the screen is to wait before it takes, in seconds."""
        return max(self._taken + PACE - self._clock(), 0.0)

    def take(self) -> tuple[tuple[LoggedEvent, ...], bool]:
        """What came, oldest first, and whether there is more already."""
        with self._lock:
            taken = tuple(self._queue.popleft() for _ in range(min(len(self._queue), MOST)))
            more = bool(self._queue)
            self._told = more
            self._taken = self._clock()
        return taken, more
