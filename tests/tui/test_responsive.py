"""The event loop is never blocked: with fifty nodes, while typing, and while jobs are at work."""

from __future__ import annotations

import time
from threading import Event

from oz_installer.answers.working import Working
from oz_installer.tui.jobs import Tell
from tests.tui.support import app_of, press, settle, wizard
from tests.tui.watchdog import watchdog


def fifty_nodes() -> Working:
    """A large installation."""
    working = Working.new().put("scenario", "medium").put("public_url", "https://oz.example.com")
    for number in range(50):
        working = working.add_node({"name": f"n{number}", "host": f"10.0.0.{number + 1}", "user": "admin"})
    return working


async def test_typing_with_fifty_nodes() -> None:
    async with wizard(step="workload") as pilot:
        app_of(pilot).edit(fifty_nodes())
        await settle(pilot)
        with watchdog() as watch:
            await press(pilot, "=1234567890", "tab", "=12345", "tab", "tab", "=1")
        watch.check()


async def test_busy_jobs_do_not_stop_the_screen() -> None:
    def busy(tell: Tell, stop: Event) -> int:
        until = time.monotonic() + 0.5
        count = 0
        while time.monotonic() < until and not stop.is_set():
            count += sum(range(1000))
            tell(count)
            stop.wait(0.001)
        return count

    async with wizard(step="workload") as pilot:
        await settle(pilot)
        with watchdog() as watch:
            app_of(pilot).jobs.start("busy", busy)
            await press(pilot, "=1234567890")
        watch.check()


async def test_going_through_the_steps() -> None:
    async with wizard(step="workload") as pilot:
        app_of(pilot).edit(fifty_nodes())
        await settle(pilot)
        with watchdog() as watch:
            await press(pilot, "ctrl+n")
            await press(pilot, "f1", "escape", "f2", "escape", "ctrl+t", "ctrl+b")
        watch.check()


async def test_the_watchdog_bites() -> None:
    async with wizard(step="workload") as pilot:
        with watchdog() as watch:
            app_of(pilot).call_later(lambda: sum(range(10_000_000)))
            await pilot.pause()
        assert watch.slow
