"""Measures the event loop: how long each of its callbacks keeps everything else waiting."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from textual.css.stylesheet import Stylesheet
from textual.theme import BUILTIN_THEMES
from textual.widgets import DataTable, Input, TextArea

from tests.tui.probes import callback_runner, run_callbacks_by, task_of

COLOURS = BUILTIN_THEMES["textual-dark"].to_color_system().generate()

LIMIT = 0.050
"""No callback may take longer, in seconds, on a machine as fast as the one of ``NOMINAL``."""

NOMINAL = 0.006
"""Seconds of computing that ``yardstick`` takes where nobody else slows it down (measured 2026-11-29)."""

SLOWEST = 2.5
"""A machine may be so many times slower: the one of 2026-11-29 was 1.7 times slower every other second."""


def yardstick() -> float:
    """How many times slower than nominal this machine computes at the moment; 1 to ``SLOWEST``.

    Parsing styles is work of the kind that a callback does: much code, little data.
    """
    seconds = []
    for _ in range(3):
        began = time.thread_time()
        sheet = Stylesheet(variables=COLOURS)
        for widget in (Input, DataTable, TextArea):
            sheet.add_source(widget.DEFAULT_CSS, read_from=(__file__, widget.__name__))
        sheet.parse()
        seconds.append(time.thread_time() - began)
    return min(max(min(seconds) / NOMINAL, 1.0), SLOWEST)


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
    slower: float = 1.0

    @property
    def limit(self) -> float:
        """Seconds that a callback may take here and now."""
        return LIMIT * self.slower

    def check(self) -> None:
        """Fail when something blocked."""
        assert self.callbacks
        limits = f"{self.limit * 1000:.0f} here, {LIMIT * 1000:.0f} nominal"
        assert self.seconds <= self.limit, f"{self.seconds * 1000:.0f} ms ({limits}): {self.callback}"


def _task_of(handle: Any) -> str:
    """Whose turn it was, where that is a task: widgets and timers have one each."""
    task = task_of(handle)
    return f"{task.get_name()}: {task.get_coro()}" if task is not None else ""


@contextmanager
def watchdog() -> Iterator[Watch]:
    """Watch the event loop of this thread."""
    watch, clock = Watch(slower=yardstick()), Clock()
    run = callback_runner()

    def timed(self: Any) -> None:
        began = clock()
        run(self)
        seconds = clock() - began
        watch.callbacks += 1
        if seconds > watch.seconds:
            watch.seconds, watch.callback = seconds, f"{repr(self)[:300]} {_task_of(self)}"

    run_callbacks_by(timed)
    try:
        yield watch
    finally:
        run_callbacks_by(run)
        watch.slower = min(watch.slower, yardstick())
