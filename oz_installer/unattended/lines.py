"""Plain lines for logs and for terminals that cannot move their cursor."""

from __future__ import annotations

from math import inf
from threading import Lock
from typing import TextIO

from oz_installer.deploy.events import Event, NodeProgress, RunStarted
from oz_installer.secret import Masker
from oz_installer.telling.words import hidden, one_line, progress_text, told
from oz_installer.unattended.streams import write

EVERY = 5.0  # seconds between two lines of progress of one node


class Lines:
    """One line an event worth telling: ``[ 12 s] node1: pulling oz-api: 3 of 9 images``."""

    def __init__(self, stream: TextIO, masker: Masker) -> None:
        self._stream = stream
        self._masker = masker
        self._lock = Lock()
        self._began: float | None = None
        self._told_at: dict[str, float] = {}
        self._held: dict[str, NodeProgress] = {}

    def on_event(self, event: Event) -> None:
        """Tell the event, or hold it back when its node had a line just now. Any thread may call."""
        event = hidden(event, self._masker)
        with self._lock:
            if self._began is None or isinstance(event, RunStarted):
                self._began = event.at
            if isinstance(event, NodeProgress):
                self._held[event.node] = event
            self._tell_held(event.at)
            for line in told(event):
                self._line(event.at, line)

    def close(self) -> None:
        """Nothing is kept open."""

    def _tell_held(self, now: float) -> None:
        """The latest news of each node whose last line is old enough."""
        for node in [node for node in self._held if now - self._told_at.get(node, -inf) >= EVERY]:
            event = self._held.pop(node)
            self._told_at[node] = now
            self._line(now, f"{node}: {progress_text(event)}")

    def _line(self, at: float, text: str) -> None:
        elapsed = max(at - (at if self._began is None else self._began), 0)
        write(self._stream, f"[{elapsed:3.0f} s] {one_line(text)}\n")
