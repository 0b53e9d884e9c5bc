"""Proves that the event loop is never blocked for long: measures every callback that it runs."""

from __future__ import annotations

import asyncio.events
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

LIMIT = 0.050
"""No callback may take longer, in seconds."""


@dataclass
class Watch:
    """Callbacks that took longer than ``LIMIT``: how long, of that how long computing, and what."""

    slow: list[tuple[float, float, str]] = field(default_factory=list)

    def check(self) -> None:
        """Fail when something blocked. Waiting for a turn on a busy machine is nobody's fault: a callback is
        blamed when it computed for so long, or did nothing for much longer than other programs make us wait.
        """
        blamed = [one for one in self.slow if one[1] > LIMIT or one[0] - one[1] > 10 * LIMIT]
        assert not blamed, blamed


@contextmanager
def watchdog() -> Iterator[Watch]:
    """Watch every event loop of this thread."""
    watch = Watch()
    run = asyncio.events.Handle._run

    def timed(self: Any) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        run(self)
        wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
        if wall > LIMIT:
            watch.slow.append((wall, cpu, repr(self)[:300]))

    asyncio.events.Handle._run = timed  # type: ignore[method-assign]
    try:
        yield watch
    finally:
        asyncio.events.Handle._run = run  # type: ignore[method-assign]
