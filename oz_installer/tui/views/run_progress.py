"""What the step Install shows of a run, worked out from events: no widget, no clock of its own."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oz_installer.deploy.events import NodeProgress, PhaseStarted, RunEnded, RunStarted
from oz_installer.formatting.events import count_text, outcome_text
from oz_installer.formatting.progress_board import NodeLane, ProgressBoard, bar, fit
from oz_installer.text import bytes_text, clock_text, single_line

if TYPE_CHECKING:
    from oz_installer.tui.views.event_feed import LoggedEvent
    from oz_installer.tui.widgets.row_list import Row

KEPT = 1000
"""So many lines of a node's log are kept."""

BAR, COUNT, CLOCK, NAME = 10, 25, 6, 16
DONE = ("done", "nothing to do")
ALL = ""
"""The log of what concerns no single node."""


class RunProgress:
    """Takes in what was heard; gives out rows."""

    def __init__(self) -> None:
        self.board = ProgressBoard()
        self.ended: RunEnded | None = None
        self.undoing = False
        self._logs: defaultdict[str, deque[Row]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._first: dict[str, NodeProgress] = {}
        self._said: dict[str, str] = {}

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
            if isinstance(event, RunStarted | PhaseStarted):
                self._first.clear()
            if isinstance(event, RunEnded):
                self.ended = event
            node = getattr(event, "node", None)
            for line in one.lines:
                self._note(node, event.at, line.removeprefix(f"{node}: ") if node else line)

    def _progress(self, event: NodeProgress) -> None:
        first = self._first.get(event.node)
        if first is None or first.text != event.text or (event.done or 0) < (first.done or 0):
            self._first[event.node] = event
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
        board, ended = self.board, self.ended
        took = clock_text((ended.at if ended else now) - (board.began if board.began is not None else now))
        done = ended is not None and ended.outcome in DONE
        share = 1.0 if done else board.share()
        phase = board.phase
        text = f"Phase {phase.number} of {phase.of}: {phase.phase}" if phase else "Starting"
        if ended:
            text = outcome_text(ended)
        tail = f"  {bar(share, 2 * BAR, False)}  {share:4.0%}  {took:>{CLOCK}}"
        room = max(width - len(tail), 10)
        return f"{fit(single_line(text), room, False):<{room}}{tail}"

    def lanes(self, now: float, width: int) -> tuple[Row, ...]:
        """A row a node: what it is at, how far, how fast, since when."""
        label = min(max(map(len, self.board.lanes), default=0), NAME)
        return tuple(self._lane(name, lane, now, width, label) for name, lane in self.board.lanes.items())

    def _lane(self, name: str, lane: NodeLane, now: float, width: int, label: int) -> Row:
        event, ended = lane.progress, self.ended
        head = f"{fit(name, label, False):<{label}}  "
        if event is None:
            idle = self._idle()
            return f"{head}{idle}", "good" if idle == "done" else "muted"
        began = self.board.phase.at if self.board.phase else event.at
        until = lane.ended or (ended.at if ended else now)
        drawn = bar(lane.share, BAR, False) if event.total else " " * BAR
        counts = fit(self._counts(event, finished=lane.ended is not None), COUNT, False)
        tail = f"  {drawn}  {counts:<{COUNT}}{clock_text(until - began):>{CLOCK}}"
        room = max(width - len(tail) - len(head), 12)
        look = "good" if lane.ended is not None else ""
        return f"{head}{fit(single_line(event.text), room, False):<{room}}{tail}", look

    def _idle(self) -> str:
        """What a node is at that has told nothing in this phase."""
        if self.ended is None:
            return "waiting"
        return "done" if self.ended.outcome in DONE else "-"

    def _counts(self, event: NodeProgress, *, finished: bool) -> str:
        said, first = count_text(event), self._first.get(event.node)
        if finished or event.unit != "bytes" or event.done is None or first is None:
            return said
        seconds = event.at - first.at
        if seconds < 0.5:
            return said
        return f"{said} · {bytes_text(round((event.done - (first.done or 0)) / seconds))}/s"
