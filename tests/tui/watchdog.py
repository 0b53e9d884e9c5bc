"""Measures the event loop: how long each of its callbacks keeps everything else waiting."""

from __future__ import annotations

import asyncio
import asyncio.events
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LIMIT = 0.050
"""No callback may take longer, in seconds."""


class Clock:
    """Seconds of the thread that made it, sleeping included, but without those in which it was ready and
    other programs had the processor: a busy machine does not lengthen them."""

    def __init__(self) -> None:
        self._file = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)

    def __call__(self) -> float:
        """Seconds since some moment."""
        _ran, waited, _times = os.pread(self._file, 64, 0).split()
        return (time.perf_counter_ns() - int(waited)) / 1e9

    def __del__(self) -> None:
        """Give the file back."""
        os.close(self._file)


@dataclass
class Watch:
    """The longest callback: seconds, and which."""

    seconds: float = 0.0
    callback: str = ""
    callbacks: int = 0

    def check(self) -> None:
        """Fail when something blocked."""
        assert self.callbacks
        assert self.seconds <= LIMIT, f"{self.seconds * 1000:.0f} ms: {self.callback}"


def _task_of(handle: Any) -> str:
    """Whose turn it was, where that is a task: widgets and timers have one each."""
    task = getattr(handle._callback, "__self__", None)
    return f"{task.get_name()}: {task.get_coro()}" if isinstance(task, asyncio.Task) else ""


@contextmanager
def watchdog() -> Iterator[Watch]:
    """Watch the event loop of this thread."""
    watch, clock = Watch(), Clock()
    run = asyncio.events.Handle._run

    def timed(self: Any) -> None:
        began = clock()
        run(self)
        seconds = clock() - began
        watch.callbacks += 1
        if seconds > watch.seconds:
            watch.seconds, watch.callback = seconds, f"{repr(self)[:300]} {_task_of(self)}"

    asyncio.events.Handle._run = timed  # type: ignore[method-assign]
    try:
        yield watch
    finally:
        asyncio.events.Handle._run = run  # type: ignore[method-assign]
