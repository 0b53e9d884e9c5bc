"""Lines of the live display, computed from events: no terminal, no colours, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from oz_installer.deploy.events import Event, NodeProgress, PhaseEnded, PhaseStarted, RunStarted
from oz_installer.formatting.events import count_text
from oz_installer.text import clock_text, single_line

BAR, COUNT, CLOCK, NAME, GAP = 12, 17, 5, 16, "  "


@dataclass
class NodeLane:
    """Progress of one node; ``ended`` is the time at which its work was complete."""

    progress: NodeProgress | None = None
    ended: float | None = None

    @property
    def share(self) -> float:
        """Completed part of the node's work, 0 to 1."""
        event = self.progress
        if event is None or event.done is None or not event.total:
            return 0.0
        return min(max(event.done / event.total, 0.0), 1.0)


@dataclass
class ProgressBoard:
    """Turns events into lines. Not thread-safe: the owner must lock it."""

    began: float | None = None
    phase: PhaseStarted | None = None
    phases_over: int = 0
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
                lane = self.lanes.setdefault(event.node, NodeLane())
                lane.progress = event
                complete = event.total is not None and event.done is not None and event.done >= event.total
                lane.ended = event.at if complete else None

    def share(self) -> float:
        """Return the completed part of the run, 0 to 1: equal phases, the current one by its nodes."""
        if self.phase is None or not self.phase.of:
            return 0.0
        current = sum(lane.share for lane in self.lanes.values()) / max(len(self.lanes), 1)
        over = max(self.phases_over, self.phase.number - 1)
        return min((over + (current if over < self.phase.number else 0)) / self.phase.of, 1.0)

    def lines(self, now: float, width: int, height: int, *, ascii: bool = False) -> list[str]:
        """Return overall progress, then one line per node, within ``width`` and ``height``."""
        lines = [self._head(now, width, ascii)]
        room = max(height - 2, 1)
        names = list(self.lanes)
        if len(names) > room:
            busy = [name for name in names if self.lanes[name].progress and not self.lanes[name].ended]
            chosen = set([*busy, *(name for name in names if name not in busy)][: room - 1])
            names = [name for name in names if name in chosen]
        lines += [self._row(name, now, width, ascii) for name in names]
        if len(names) < len(self.lanes):
            lines.append(f"  and {len(self.lanes) - len(names)} more nodes"[:width])
        return lines

    def _head(self, now: float, width: int, ascii: bool) -> str:
        elapsed = clock_text(now - (self.began if self.began is not None else now))
        share = self.share()
        tail = f"{GAP}{bar(share, BAR, ascii)}{GAP}{share:4.0%}{GAP}{elapsed:>{CLOCK}}"
        phase = self.phase
        text = f"Phase {phase.number} of {phase.of}: {phase.phase}" if phase else "Starting"
        return align_ends(single_line(text), tail, width, ascii)

    def _row(self, name: str, now: float, width: int, ascii: bool) -> str:
        lane = self.lanes[name]
        label = min(max(map(len, self.lanes)), NAME)
        event = lane.progress
        text = single_line(event.text) if event else "waiting"
        tail = ""
        if event:
            began = self.phase.at if self.phase else event.at
            drawn = bar(lane.share, BAR, ascii) if event.total else " " * BAR
            elapsed = clock_text((lane.ended or now) - began)
            tail = f"{GAP}{drawn}{GAP}{fit(count_text(event), COUNT, ascii):<{COUNT}}{GAP}{elapsed:>{CLOCK}}"
        return align_ends(f"  {fit(name, label, ascii):<{label}}{GAP}{text}", tail, width, ascii)


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
