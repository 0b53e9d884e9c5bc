"""Drive the wizard in tests: wait until it is idle, read the screen, compare golden screens."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from textual import events
from textual.pilot import Pilot

from oz_installer.tui.app import WizardApp
from oz_installer.tui.controllers.exit import ExitOutcome
from oz_installer.tui.core import Core
from oz_installer.tui.screens.step_screen import StepScreen
from tests.tui.fake_core import FakeCore
from tests.tui.probes import key_name, strips_of

GOLDEN = Path(__file__).parents[1] / "golden" / "screens"
SIZES = ((80, 24), (120, 40))
PATIENCE = 20.0
"""No wait is longer, in seconds; a busy machine needs some."""

Driver = Pilot[ExitOutcome]


@asynccontextmanager
async def wizard(
    core: Core | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    path: Path | None = None,
    step: str | None = None,
) -> AsyncIterator[Driver]:
    """The wizard at a step, idle."""
    app = WizardApp(core or FakeCore(), path, step)
    app.session.path = path or Path("/home/admin/answers.yml")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot


def app_of(pilot: Driver) -> WizardApp:
    """The app that is driven."""
    return cast("WizardApp", pilot.app)


def step_of(pilot: Driver) -> StepScreen:
    """The step that is open."""
    screen = app_of(pilot).step_screen
    assert screen is not None
    return screen


async def settle(pilot: Driver) -> None:
    """Wait until no job is running, the answers are validated, and the screen is drawn."""
    app = app_of(pilot)
    until = asyncio.get_running_loop().time() + PATIENCE
    while True:
        await pilot.pause()
        if not (busy := busy_with(app)):
            await pilot.wait_for_scheduled_animations()  # a focused field is scrolled into view
            await pilot.pause()
            return
        if asyncio.get_running_loop().time() >= until:
            raise AssertionError(f"the wizard does not come to rest: {', '.join(busy)}\n{threads_text()}")
        await asyncio.sleep(0.01)


def busy_with(app: WizardApp) -> list[str]:
    """Return what the wizard is busy with; empty when it is idle."""
    busy = ["the answers are being validated"] * app.thinking + ["a key is under way"] * app.in_order.busy
    return busy + [f"worker {one.name!r} is {one.state.name}" for one in app.workers if not one.is_finished]


def threads_text() -> str:
    """The stack of every thread, and of every task of the event loop."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    stacks = [
        f"thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    ]
    for task in asyncio.all_tasks():
        frames = "".join("".join(traceback.format_stack(frame, limit=1)) for frame in task.get_stack())
        stacks.append(f"task {task.get_name()}:\n{frames}")
    return "\n".join(stacks)


async def until(pilot: Driver, wanted: Callable[[], bool]) -> None:
    """Wait for a condition while jobs are running."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while not wanted():
        assert asyncio.get_running_loop().time() < end, text_of(pilot)
        await pilot.pause()
        await asyncio.sleep(0.01)


async def left(pilot: Driver) -> ExitOutcome:
    """Wait for the exit and return its outcome."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while (outcome := app_of(pilot).return_value) is None:
        assert asyncio.get_running_loop().time() < end, text_of(pilot)
        await asyncio.sleep(0.01)
    return outcome


async def press(pilot: Driver, *keys: str) -> None:
    """Press keys and wait until the wizard is idle; what starts with ``=`` is typed letter by letter."""
    for key in keys:
        if key.startswith("="):
            for letter in key[1:-1]:  # the app keeps them in order; Textual's pilot waits 60 ms behind each
                pilot.app.post_message(events.Key(key_name(letter), letter))
            await pilot.press(key[-1])
        else:
            await pilot.press(key)
    await settle(pilot)


async def confirm(pilot: Driver) -> None:
    """Give the answer that changes something to a question; does not wait until the wizard is idle."""
    await settle(pilot)
    await pilot.press("shift+tab", "enter")


async def install(pilot: Driver) -> None:
    """Start an installation in the step Install, confirm it and wait for its end."""
    step_of(pilot).query_one("#run").focus()
    await press(pilot, "enter")
    await confirm(pilot)
    await settle(pilot)


def text_of(pilot: Driver) -> str:
    """Return the screen row by row, without trailing spaces."""
    strips = strips_of(pilot.app.screen)
    return "".join(f"{strip.text.rstrip()}\n" for strip in strips)


def unbroken(text: str) -> str:
    """Return the text without whitespace, as a long path is wrapped anywhere."""
    return "".join(text.split())


def check_golden(name: str, pilot: Driver) -> None:
    """Compare the screen with the golden file of that name; ``UPDATE_GOLDEN=1`` writes it."""
    size = pilot.app.size
    file = GOLDEN / f"{name}-{size.width}x{size.height}.txt"
    seen = text_of(pilot)
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(seen, encoding="utf-8")
    if pictures := os.environ.get("OZ_PICTURES"):  # for a look at them: rsvg-convert makes PNG of them
        drawn = pilot.app.export_screenshot().replace("<text ", '<text xml:space="preserve" ')
        (Path(pictures) / f"{file.stem}.svg").write_text(drawn, encoding="utf-8")
    assert file.exists(), f"{file.name} is missing: UPDATE_GOLDEN=1 writes it; look at it then"
    assert seen == file.read_text(encoding="utf-8"), f"{file.name} differs: UPDATE_GOLDEN=1 writes it anew"
