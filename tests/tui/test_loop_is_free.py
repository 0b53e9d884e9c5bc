"""The event loop is never blocked: the CPU time of each step, which no other program can lengthen."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oz_installer.deploy.events import Event, Message, NodeProgress, PhaseStarted, RunEnded, RunStarted
from tests.tui.running import PATH, RunCore
from tests.tui.support import settle, text_of, wizard

if TYPE_CHECKING:
    import pytest

    from oz_installer.installation import Prepared

EVENTS = 2000
LONGEST = 0.050
NODES = tuple(f"node{number}" for number in range(1, 51))


@contextmanager
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The CPU seconds of every step of the loop of this thread."""
    steps: list[float] = []
    inner = asyncio.events.Handle._run

    def run(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        inner(handle)
        steps.append(time.thread_time() - began)

    with monkeypatch.context() as patch:
        patch.setattr(asyncio.events.Handle, "_run", run)
        yield steps


def many_events() -> list[Event]:
    """A busy run on fifty nodes."""
    events: list[Event] = [
        RunStarted(at=1000, phases=("Pull images",), nodes=NODES),
        PhaseStarted(at=1000, phase="Pull images", number=1, of=1),
    ]
    for number in range(EVENTS):
        at, node = 1000 + number / 50, NODES[number % len(NODES)]
        if number % 3:
            events.append(
                NodeProgress(
                    at=at, node=node, text="pulling", done=number * 1000, total=EVENTS * 1000, unit="bytes"
                )
            )
        else:
            events.append(Message(at=at, level="info", text=f"line {number} of a log " + "x" * 60, node=node))
    return [*events, RunEnded(at=1072, outcome="done", seconds=72)]


class Busy(RunCore):
    """Tells its events from four threads, as fast as it can."""

    def execute(self, prepared: Prepared, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        """All of them."""
        first, *rest, last = many_events()
        on_event(first)
        threads = [threading.Thread(target=tell, args=(rest[place::4], on_event)) for place in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        on_event(last)


def tell(events: list[Event], on_event: Callable[[Event], None]) -> None:
    """One thread's part."""
    for event in events:
        on_event(event)


async def test_no_step_of_the_loop_is_long_while_2000_events_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wizard(Busy(), path=PATH, step="install") as pilot:
        with measured(monkeypatch) as steps:
            await pilot.press("enter")
            await settle(pilot)
        assert "Done in 72 s." in text_of(pilot)
    assert max(steps) < LONGEST, f"{sorted(steps)[-5:]}"
