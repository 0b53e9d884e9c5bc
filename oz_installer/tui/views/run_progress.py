"""Progress of a run for the install step, computed from events: no widget, no clock."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oz_installer.deploy.events import NodeProgress, RunEnded
from oz_installer.formatting.progress_board import ProgressBoard, RowLayout
from oz_installer.formatting.row import Row
from oz_installer.text import clock_text, single_line

if TYPE_CHECKING:
    from oz_installer.tui.views.event_feed import LoggedEvent

KEPT = 1000
"""Most log lines kept per node."""

LAYOUT = RowLayout(head_bar=20, bar=10, count=25, clock=6, indent="", before_clock="", rates=True)
ALL = ""
"""Name of the log for events of no single node."""


class RunProgress:
    """Turns logged events into rows."""

    def __init__(self) -> None:
        self.board = ProgressBoard()
        self.undoing = False
        self._logs: defaultdict[str, deque[Row]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._last_text: dict[str, str] = {}

    @property
    def ended(self) -> RunEnded | None:
        """The end of the run; None while it runs."""
        return self.board.ended

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes that take part in the run."""
        return tuple(self.board.lanes)

    def apply(self, logged: Sequence[LoggedEvent]) -> None:
        """Update the progress from events."""
        for one in logged:
            event = one.event
            self.board.apply(event)
            if isinstance(event, NodeProgress):
                self._progress(event)
                continue
            node = getattr(event, "node", None)
            for line in one.lines:
                self._log(node, event.at, line.removeprefix(f"{node}: ") if node else line)

    def _progress(self, event: NodeProgress) -> None:
        if self._last_text.get(event.node) != event.text:
            self._last_text[event.node] = event.text
            self._log(event.node, event.at, single_line(event.text))

    def _log(self, node: str | None, at: float, line: str) -> None:
        since = clock_text(at - (self.board.began or at))
        look = "bad" if "error: " in line else "warning" if "warning: " in line else ""
        row = (f"{since:>5}  {line}", look)
        for name in (node,) if node else (ALL, *self.board.lanes):
            self._logs[name].append(row)

    def log(self, node: str) -> tuple[Row, ...]:
        """Return the log of a node, including events of all nodes."""
        return tuple(self._logs[node] if node in self._logs else self._logs[ALL])

    def head(self, now: float, width: int) -> str:
        """Return overall progress in one line."""
        return self.board.head(now, width, LAYOUT)

    def lanes(self, now: float, width: int) -> tuple[Row, ...]:
        """Return one row per node."""
        return tuple(self.board.row(name, now, width, LAYOUT) for name in self.board.lanes)
