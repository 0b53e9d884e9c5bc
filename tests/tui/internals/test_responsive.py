"""The event loop is never blocked: fifty nodes, every step, with running jobs."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from threading import Event

import pytest

from oz_installer.tui.app import THINKING
from oz_installer.tui.jobs import Post
from oz_installer.tui.steps import STEPS
from tests.tui.fifty import FiftyCore
from tests.tui.support import Driver, app_of, install, press, settle, step_of, text_of, wizard
from tests.tui.watchdog import LIMIT, SLOWEST, Watch, watchdog, yardstick


@pytest.fixture(autouse=True)
def _thinking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wizard judges when it does for an operator."""
    monkeypatch.setattr("oz_installer.tui.app.THINKING", THINKING)


@asynccontextmanager
async def fifty(path: Path, step: str) -> AsyncIterator[Driver]:
    """The wizard with fifty nodes, at a step."""
    async with wizard(FiftyCore(), path=path, step=step) as pilot:
        yield pilot


TURNS = 3
"""What else is at work on the machine makes a callback longer, never shorter: one good turn is enough."""


async def never_blocks(path: Path, step: str, drive: Callable[[Driver], Awaitable[None]]) -> None:
    """Drive the wizard from a step on. Fails when a callback was too long in every turn."""
    for turn in range(TURNS):
        async with fifty(path, step) as pilot:
            with watchdog() as watch:
                await drive(pilot)
        if turn == TURNS - 1 or watch.seconds <= watch.limit:
            break
        shutil.rmtree(path.parent / "state", ignore_errors=True)
    watch.check()


async def test_typing(fifty_path: Path) -> None:
    async def drive(pilot: Driver) -> None:
        await press(pilot, "=1234567890", "tab", "=12345", "tab", "tab", "=1")

    await never_blocks(fifty_path, "workload", drive)


async def test_typing_in_the_form_of_a_node(fifty_path: Path) -> None:
    async def drive(pilot: Driver) -> None:
        await press(pilot, "down", "down", "e", "=new", "tab", "=new", "enter", "=you", "escape")
        await press(pilot, "shift+tab", "enter", "d")

    await never_blocks(fifty_path, "nodes", drive)


async def test_going_through_the_steps(fifty_path: Path) -> None:
    async def drive(pilot: Driver) -> None:
        await press(pilot, "ctrl+b", *["ctrl+n"] * (len(STEPS) - 1))
        await press(pilot, "f1", "escape", "f2", "escape", "ctrl+t", *["ctrl+b"] * (len(STEPS) - 1))

    await never_blocks(fifty_path, "workload", drive)


async def test_busy_jobs(fifty_path: Path) -> None:
    def busy(post: Post, stop: Event) -> int:
        until = time.monotonic() + 0.5
        count = 0
        while time.monotonic() < until and not stop.is_set():
            count += sum(range(1000))
            post(count)
            stop.wait(0.001)
        return count

    async def drive(pilot: Driver) -> None:
        app_of(pilot).jobs.start("busy", busy)
        await press(pilot, "=1234567890")

    await never_blocks(fifty_path, "workload", drive)


async def test_connections_are_tested(fifty_path: Path) -> None:
    async def drive(pilot: Driver) -> None:
        await press(pilot, "f5")
        assert "1 warning" in text_of(pilot)

    await never_blocks(fifty_path, "nodes", drive)


async def test_checks_and_an_installation_with_2000_events(fifty_path: Path) -> None:
    async def drive(pilot: Driver) -> None:
        await press(pilot, "enter")
        assert "300 ok" in text_of(pilot)
        await press(pilot, "ctrl+n")
        await install(pilot)
        assert "Done in 72 s." in text_of(pilot)
        await press(pilot, "ctrl+n")
        assert step_of(pilot).STEP == "done"

    await never_blocks(fifty_path, "preflight", drive)


async def test_the_watchdog_bites(fifty_path: Path) -> None:
    async with fifty(fifty_path, "workload") as pilot:
        with watchdog() as watch:
            app_of(pilot).call_later(lambda: time.sleep(1.1 * SLOWEST * LIMIT))
            await settle(pilot)
        with pytest.raises(AssertionError, match=r"nominal\): <Handle"):
            watch.check()


@pytest.mark.parametrize(
    ("seconds", "slower", "fits"), [(0.049, 1, 1), (0.051, 1, 0), (0.12, 2.5, 1), (0.13, 2.5, 0)]
)
def test_the_limit_of_the_watchdog(seconds: float, slower: float, fits: int) -> None:
    watch = Watch(seconds=seconds, callbacks=1, slower=slower)
    with nullcontext() if fits else pytest.raises(AssertionError):
        watch.check()


def test_the_yardstick_is_a_number_of_times() -> None:
    assert 1 <= yardstick() <= SLOWEST
