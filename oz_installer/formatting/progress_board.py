"""Lines of the live display, computed from events: no terminal, no colours, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from oz_installer.deploy.events import Event, NodeProgress, PhaseEnded, PhaseStarted, RunEnded, RunStarted
from oz_installer.formatting.events import count_text, outcome_text
from oz_installer.formatting.row import Row
from oz_installer.text import bytes_text, clock_text, single_line

NAME, GAP = 16, "  "


@dataclass(frozen=True, kw_only=True)
class RowLayout:
    """Column widths and separators of a row, and whether bytes have a rate."""

    head_bar: int = 12
    bar: int = 12
    count: int = 17
    clock: int = 5
    indent: str = GAP
    before_clock: str = GAP
    rates: bool = False
    ascii: bool = False


@dataclass
class NodeLane:
    """Progress of one node: its last event, the first of the same work, its completion time."""

    progress: NodeProgress | None = None
    first: NodeProgress | None = None
    ended: float | None = None

    def apply(self, event: NodeProgress) -> None:
        """Update the lane from an event of its node."""
        first = self.first
        if first is None or first.text != event.text or (event.done or 0) < (first.done or 0):
            self.first = event
        complete = event.total is not None and event.done is not None and event.done >= event.total
        self.progress, self.ended = event, event.at if complete else None

    @property
    def share(self) -> float:
        """Completed part of the node's work, 0 to 1."""
        event = self.progress
        if event is None or event.done is None or not event.total:
            return 0.0
        return min(max(event.done / event.total, 0.0), 1.0)

    @property
    def rate(self) -> str:
        """Bytes per second as `` · 3.4 MB/s``; empty without a count or in the first moment."""
        event, first = self.progress, self.first
        if event is None or first is None or self.ended is not None:
            return ""
        seconds = event.at - first.at
        if event.unit != "bytes" or event.done is None or seconds < 0.5:
            return ""
        return f" · {bytes_text(round((event.done - (first.done or 0)) / seconds))}/s"


@dataclass
class ProgressBoard:
    """Turns events into lines. Not thread-safe: the owner must lock it."""

    began: float | None = None
    phase: PhaseStarted | None = None
    phases_over: int = 0
    ended: RunEnded | None = None
    lanes: dict[str, NodeLane] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Update the board from an event."""
        if self.began is None or isinstance(event, RunStarted):
            self.began = event.at
        match event:
            case RunStarted():
                self.lanes = {node: NodeLane() for node in event.nodes}
            case PhaseStarted():
                self.phase = event
                self.lanes = {node: NodeLane() for node in self.lanes}
            case PhaseEnded():
                self.phases_over += event.outcome in ("done", "skipped")
            case NodeProgress():
                self.lanes.setdefault(event.node, NodeLane()).apply(event)
            case RunEnded():
                self.ended = event

    def share(self) -> float:
        """Return the completed part of the run, 0 to 1: equal phases, the current one by its nodes."""
        if self.phase is None or not self.phase.of:
            return 0.0
        current = sum(lane.share for lane in self.lanes.values()) / max(len(self.lanes), 1)
        over = max(self.phases_over, self.phase.number - 1)
        return min((over + (current if over < self.phase.number else 0)) / self.phase.of, 1.0)

    def lines(self, now: float, width: int, height: int, *, ascii: bool = False) -> list[str]:
        """Return overall progress, then one line per node, within ``width`` and ``height``."""
        layout = RowLayout(ascii=ascii)
        room = max(height - 2, 1)
        names = list(self.lanes)
        if len(names) > room:
            busy = [name for name in names if self.lanes[name].progress and not self.lanes[name].ended]
            chosen = set([*busy, *(name for name in names if name not in busy)][: room - 1])
            names = [name for name in names if name in chosen]
        lines = [self.head(now, width, layout), *(self.row(name, now, width, layout)[0] for name in names)]
        if len(names) < len(self.lanes):
            lines.append(f"  and {len(self.lanes) - len(names)} more nodes"[:width])
        return lines

    def head(self, now: float, width: int, layout: RowLayout) -> str:
        """Return overall progress in one line."""
        phase, ended = self.phase, self.ended
        text = f"Phase {phase.number} of {phase.of}: {phase.phase}" if phase else "Starting"
        text = outcome_text(ended) if ended else text
        share = 1.0 if self._is_done else self.share()
        until = ended.at if ended else now
        elapsed = clock_text(until - (self.began if self.began is not None else until))
        drawn = bar(share, layout.head_bar, layout.ascii)
        tail = f"{GAP}{drawn}{GAP}{share:4.0%}{GAP}{elapsed:>{layout.clock}}"
        return align_ends(single_line(text), tail, width, layout.ascii)

    def row(self, name: str, now: float, width: int, layout: RowLayout) -> Row:
        """Return one row: the node's task, progress, rate and time."""
        lane, ascii = self.lanes[name], layout.ascii
        label = min(max(map(len, self.lanes)), NAME)
        head = f"{layout.indent}{fit(name, label, ascii):<{label}}{GAP}"
        event = lane.progress
        if event is None:
            idle = "waiting" if self.ended is None else "done" if self._is_done else "-"
            return fit(f"{head}{idle}", width, ascii), "good" if idle == "done" else "muted"
        began = self.phase.at if self.phase else event.at
        elapsed = clock_text((lane.ended or (self.ended.at if self.ended else now)) - began)
        drawn = bar(lane.share, layout.bar, ascii) if event.total else " " * layout.bar
        counts = fit(count_text(event) + (lane.rate if layout.rates else ""), layout.count, ascii)
        tail = f"{GAP}{drawn}{GAP}{counts:<{layout.count}}{layout.before_clock}{elapsed:>{layout.clock}}"
        row = align_ends(f"{head}{single_line(event.text)}", tail, width, ascii)
        return row, "" if lane.ended is None else "good"

    @property
    def _is_done(self) -> bool:
        return self.ended is not None and self.ended.outcome in ("done", "nothing to do")


def bar(share: float, width: int, ascii: bool) -> str:
    """Draw a progress bar whose two parts differ in shape, not only in colour."""
    done = int(share * width)
    full, empty = ("#", ".") if ascii else ("━", "┄")
    return full * done + empty * (width - done)


def fit(text: str, width: int, ascii: bool) -> str:
    """Cut the text with an ellipsis when it is too long."""
    if len(text) <= width:
        return text
    mark = "~" if ascii else "…"
    return text[: max(width - 1, 0)] + mark[: max(width, 0)]


def align_ends(text: str, tail: str, width: int, ascii: bool) -> str:
    """Put text at the left and tail at the right edge; drop the tail when both do not fit."""
    room = width - len(tail)
    if room < 20:
        return fit(text, width, ascii)
    return f"{fit(text, room, ascii):<{room}}{tail}".rstrip()
