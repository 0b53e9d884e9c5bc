"""Events as text: pure functions that the live display and the plain output share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

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
from oz_installer.text import bytes_text, plural, seconds_text, strip_control

_REPORTED_STATES = frozenset({"healthy", "unhealthy", "exited", "finished", "removed"})


def mask_event(event: Event, masker: Masker) -> Event:
    """Mask secrets in the event's free text. Do this first, before anything rewrites the text."""
    if isinstance(event, Message | NodeProgress) and (text := masker(event.text)) != event.text:
        return replace(event, text=text)
    return event


def count_text(event: NodeProgress) -> str:
    """Format progress: ``3 of 9 images``, ``3.4 of 12 MB``; empty without a count."""
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
    """Format progress with its text: ``pulling oz-api: 3 of 9 images``."""
    return ": ".join(part for part in (event.text, count_text(event)) if part)


def outcome_text(event: RunEnded) -> str:
    """Return the closing line of a run."""
    took = seconds_text(event.seconds)
    return {
        "done": f"Done in {took}.",
        "nothing to do": f"Nothing to do; checked in {took}.",
        "rehearsed": "Nothing was changed.",
        "failed": f"Failed after {took}.",
        "interrupted": f"Interrupted after {took}.",
    }[event.outcome]


def event_lines(event: Event) -> Iterator[str]:
    """Yield the lines to print for an event, node first. ``progress_text`` formats progress."""
    match event:
        case RunStarted():
            yield f"{plural(len(event.phases), 'phase')} on {', '.join(event.nodes)}"
        case PhaseStarted():
            yield f"phase {event.number} of {event.of}: {event.phase}"
        case PhaseEnded() if event.outcome != "done":
            yield f"{event.phase}: {event.outcome} after {seconds_text(event.seconds)}"
        case PhaseEnded() if event.seconds >= 1:
            yield f"{event.phase}: done in {seconds_text(event.seconds)}"
        case ServiceState() if event.state in _REPORTED_STATES:
            mark = "error: " if event.state in ("unhealthy", "exited") else ""
            yield f"{event.node}: {mark}{event.service} is {event.state}"
        case Message():
            yield from message_lines(event)
        case RunEnded():
            yield outcome_text(event)


def message_lines(event: Message) -> Iterator[str]:
    """Yield a message with its node and level; further lines are indented."""
    head = f"{event.node}: " if event.node else ""
    mark = "" if event.level == "info" else f"{event.level}: "
    first, *rest = strip_control(event.text).split("\n")
    yield f"{head}{mark}{first}"
    for line in rest:
        yield f"{head}  {line}"
