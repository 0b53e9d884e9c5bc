"""Plain lines for logs and for terminals that cannot move their cursor."""

from __future__ import annotations

from math import inf
from threading import Lock
from typing import TextIO

from oz_installer.console.output.streams import write
from oz_installer.deploy.events import Event, NodeProgress, PhaseEnded, PhaseStarted, RunStarted
from oz_installer.formatting.events import event_lines, mask_event, progress_text
from oz_installer.secret import Masker
from oz_installer.text import one_line

EVERY = 5.0  # seconds between two lines of progress of one node
WAITING_EVERY = 30.0  # the same while waiting for services, which takes minutes


class PlainLines:
    """Prints one line per notable event: ``[ 12 s] node1: pulling oz-api: 3 of 9 images``."""

    def __init__(self, stream: TextIO, masker: Masker) -> None:
        self._stream = stream
        self._masker = masker
        self._lock = Lock()
        self._began: float | None = None
        self._printed_at: dict[str, float] = {}
        self._printed: dict[str, NodeProgress] = {}
        self._held: dict[str, NodeProgress] = {}

    def on_event(self, event: Event) -> None:
        """Print the event, or hold it back if its node just had a line. Any thread may call this."""
        event = mask_event(event, self._masker)
        with self._lock:
            if self._began is None or isinstance(event, RunStarted):
                self._began = event.at
            if isinstance(event, NodeProgress):
                self._held[event.node] = event
                self._print_end(event)
            self._print_held(event.at)
            if isinstance(event, PhaseStarted | PhaseEnded):
                self._held.clear()  # the phase is over: progress printed now would be wrong
            for line in event_lines(event):
                self._line(event.at, line)

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _print_held(self, now: float) -> None:
        """Print the latest progress of each node whose last line is old enough."""
        for node, event in tuple(self._held.items()):
            before = self._printed.get(node)
            waiting = before is not None and before.unit == event.unit == "services"
            every = WAITING_EVERY if waiting else EVERY
            if now - self._printed_at.get(node, -inf) >= every:
                self._progress(now, event)

    def _print_end(self, event: NodeProgress) -> None:
        """Print the end of a step whose begin was printed, however soon it comes."""
        before = self._printed.get(event.node)
        complete = event.total is not None and event.done == event.total
        if complete and before is not None and before.text == event.text and before.done != event.done:
            self._progress(event.at, event)

    def _progress(self, now: float, event: NodeProgress) -> None:
        self._held.pop(event.node, None)
        self._printed_at[event.node], self._printed[event.node] = now, event
        self._line(now, f"{event.node}: {progress_text(event)}")

    def _line(self, at: float, text: str) -> None:
        elapsed = max(at - (at if self._began is None else self._began), 0)
        write(self._stream, f"[{elapsed:3.0f} s] {one_line(text)}\n")
