"""What tests of the wizard wait for after every key."""

from __future__ import annotations

import asyncio
import time
from threading import Event, Thread

import pytest
from textual.app import App

from tests.tui.idle import LONGEST, wait_for_idle


@pytest.mark.parametrize("thread", [True, False])
async def test_a_job_is_waited_for_while_it_computes(thread: bool) -> None:
    """In a thread of Textual's, or in one of its own that a worker waits for."""
    ended = Event()

    def compute() -> None:
        until = time.thread_time() + 0.1
        while time.thread_time() < until:
            sum(range(100))
        ended.set()

    async def apart() -> None:
        Thread(target=compute, daemon=True).start()
        while not ended.is_set():
            await asyncio.sleep(0.05)

    app: App[None] = App()
    async with app.run_test():
        app.run_worker(compute if thread else apart, thread=thread)
        await wait_for_idle()
        assert ended.is_set()


async def test_what_is_ready_or_due_soon_has_its_turn() -> None:
    done: list[str] = []
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: loop.call_soon(lambda: loop.call_soon(done.append, "ready")))
    loop.call_later(0.015, done.append, "due")
    loop.call_later(30, done.append, "late")
    await wait_for_idle()
    assert done == ["ready", "due"]


async def test_what_never_rests_is_not_waited_for_for_ever() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    task, began = asyncio.create_task(turn()), time.monotonic()
    await wait_for_idle()
    assert turns
    assert time.monotonic() - began >= LONGEST
    task.cancel()


async def test_a_job_that_waits_for_something_is_left_waiting() -> None:
    """The test holds the job and looks at the wizard meanwhile."""
    held = Event()
    app: App[None] = App()
    async with app.run_test():
        worker = app.run_worker(lambda: held.wait(60), thread=True)
        await wait_for_idle()
        assert worker.is_running
        held.set()
