"""Events in words: pure functions that the live display and the plain lines share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from oz_installer.deploy.command_output import plural
from oz_installer.deploy.events import (
    Event,
    Message,
    NodeProgress,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunStarted,
    ServiceState,
)
from oz_installer.secret import Masker

# Escape sequences and control characters: what a node says must not steer the operator's terminal.
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TOLD_STATES = frozenset({"healthy", "unhealthy", "exited", "finished", "removed"})


def mask_event(event: Event, masker: Masker) -> Event:
    """The event with its free text masked: first of all, while a secret still stands there as it is."""
    if isinstance(event, Message | NodeProgress) and (text := masker(event.text)) != event.text:
        return replace(event, text=text)
    return event


def strip_control(text: str) -> str:
    """The text without escape sequences and control characters; line ends and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", text))


def one_line(text: str) -> str:
    """The same on one line, blanks kept: the indentation of a log line says something."""
    return strip_control(text).replace("\n", " ").rstrip()


def single_line(text: str) -> str:
    """The same on one line, blanks folded."""
    return " ".join(strip_control(text).split())


def seconds_text(seconds: float) -> str:
    """``0.7 s``, ``34 s``, ``12 min 3 s``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s"


def clock_text(seconds: float) -> str:
    """``1:12`` and, from an hour on, ``1:02:03``."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def bytes_text(count: int) -> str:
    """Decimal units, as disks and networks are sold: ``512 B``, ``3.4 MB``."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{count} B" if unit == "B" else f"{size:.{1 if size < 99.95 else 0}f} {unit}"


def count_text(event: NodeProgress) -> str:
    """``3 of 9 images``, ``3.4 of 12 MB``; empty when nothing can be counted."""
    if event.done is None:
        return ""
    if event.unit == "bytes":
        done = bytes_text(event.done)
        if event.total is None:
            return done
        total = bytes_text(event.total)
        same_unit = done.split()[1] == total.split()[1]
        return f"{done.split()[0] if same_unit else done} of {total}"
    unit = f" {event.unit}" if event.unit else ""
    return f"{event.done}{unit}" if event.total is None else f"{event.done} of {event.total}{unit}"


def progress_text(event: NodeProgress) -> str:
    """``pulling oz-api: 3 of 9 images``."""
    return ": ".join(part for part in (event.text, count_text(event)) if part)


def outcome_text(event: RunEnded) -> str:
    """The last line of talk."""
    took = seconds_text(event.seconds)
    return {
        "done": f"Done in {took}.",
        "nothing to do": f"Nothing to do; checked in {took}.",
        "rehearsed": "Nothing was changed.",
        "failed": f"Failed after {took}.",
        "interrupted": f"Interrupted after {took}.",
    }[event.outcome]


def event_lines(event: Event) -> Iterator[str]:
    """The lines that an event is worth, node first; progress is told by ``progress_text``."""
    match event:
        case RunStarted():
            yield f"{plural(len(event.phases), 'phase')} on {', '.join(event.nodes)}"
        case PhaseStarted():
            yield f"phase {event.number} of {event.of}: {event.phase}"
        case PhaseEnded() if event.outcome != "done":
            yield f"{event.phase}: {event.outcome} after {seconds_text(event.seconds)}"
        case PhaseEnded() if event.seconds >= 1:
            yield f"{event.phase}: done in {seconds_text(event.seconds)}"
        case ServiceState() if event.state in _TOLD_STATES:
            mark = "error: " if event.state in ("unhealthy", "exited") else ""
            yield f"{event.node}: {mark}{event.service} is {event.state}"
        case Message():
            yield from message_lines(event)
        case RunEnded():
            yield outcome_text(event)


def message_lines(event: Message) -> Iterator[str]:
    """A message with its node and level; further lines are indented."""
    head = f"{event.node}: " if event.node else ""
    mark = "" if event.level == "info" else f"{event.level}: "
    first, *rest = strip_control(event.text).split("\n")
    yield f"{head}{mark}{first}"
    for line in rest:
        yield f"{head}  {line}"
