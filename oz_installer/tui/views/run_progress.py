"""What the step Install shows of a run, worked out from events: no widget, no clock of its own."""

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
"""So many lines of a node's log are kept."""

LAYOUT = RowLayout(head_bar=20, bar=10, count=25, clock=6, indent="", before_clock="", rates=True)
ALL = ""
"""The log of what concerns no single node."""


class RunProgress:
    """Takes in what was heard; gives out rows."""

    def __init__(self) -> None:
        self.board = ProgressBoard()
        self.undoing = False
        self._logs: defaultdict[str, deque[Row]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._said: dict[str, str] = {}

    @property
    def ended(self) -> RunEnded | None:
        """How the run ended; None while it runs."""
        return self.board.ended

    @property
    def nodes(self) -> tuple[str, ...]:
        """Those that take part."""
        return tuple(self.board.lanes)

    def apply(self, heard: Sequence[LoggedEvent]) -> None:
        """Remember what matters."""
        for one in heard:
            event = one.event
            self.board.apply(event)
            if isinstance(event, NodeProgress):
                self._progress(event)
                continue
            node = getattr(event, "node", None)
            for line in one.lines:
                self._note(node, event.at, line.removeprefix(f"{node}: ") if node else line)

    def _progress(self, event: NodeProgress) -> None:
        if self._said.get(event.node) != event.text:
            self._said[event.node] = event.text
            self._note(event.node, event.at, single_line(event.text))

    def _note(self, node: str | None, at: float, line: str) -> None:
        since = clock_text(at - (self.board.began or at))
        look = "bad" if "error: " in line else "warning" if "warning: " in line else ""
        row = (f"{since:>5}  {line}", look)
        for name in (node,) if node else (ALL, *self.board.lanes):
            self._logs[name].append(row)

    def log(self, node: str) -> tuple[Row, ...]:
        """The log of a node, with what concerns all of them."""
        return tuple(self._logs[node] if node in self._logs else self._logs[ALL])

    def head(self, now: float, width: int) -> str:
        """Overall progress in one line."""
        return self.board.head(now, width, LAYOUT)

    def lanes(self, now: float, width: int) -> tuple[Row, ...]:
        """A row a node."""
        return tuple(self.board.row(name, now, width, LAYOUT) for name in self.board.lanes)
