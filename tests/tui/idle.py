"""Detects an idle wizard by its event loop.

Textual's own pilot guesses: it sleeps 20 ms again and again until the process has computed for less than 1 ms
of them, twice or more behind every key. Half of the time that these tests took went into that, and a process
that gets no processor for 20 ms looks idle, too.
"""

from __future__ import annotations

import asyncio

from tests.tui.probes import is_worker, something_ready, textual_wait_for_idle, timers_of

SOON = 0.02
"""A timer that is due within so many seconds is waited for: a frame comes 17 ms behind what changed."""

LONGEST = 1.0
"""Something that turns all the time is not waited for any longer, in seconds, as with Textual's own."""


async def wait_for_idle(min_sleep: float = 0.0, max_sleep: float = LONGEST) -> None:
    """Wait until nothing is ready to run and no timer is due soon. Of a thread nobody can say whether it
    computes or waits: with a job at work Textual's guess is taken."""
    loop = asyncio.get_running_loop()
    until = loop.time() + max_sleep
    while loop.time() < until:
        await asyncio.sleep(0)
        if something_ready(loop):
            continue
        if any(map(is_worker, asyncio.all_tasks())):
            await textual_wait_for_idle(min_sleep, max_sleep)
            return
        if not any(_is_due(timer, loop.time() + SOON) for timer in timers_of(loop)):
            return
        await asyncio.sleep(0.001)


def _is_due(timer: asyncio.TimerHandle, by: float) -> bool:
    return not timer.cancelled() and timer.when() <= by
