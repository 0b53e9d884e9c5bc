"""Uses the wizard with fifty nodes, at a keyboard's pace, in a terminal.

Writes FOLDER/keys.jsonl: for each key the screen, what it did, and the seconds from the key's event until the
driver was given the frame that shows it, in all and of computing; and the longest callback of the event loop.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Generator
from itertools import cycle
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import DataTable, Input, TextArea

from oz_installer.tui.app import WizardApp
from oz_installer.tui.controllers.exit import ExitOutcome
from oz_installer.tui.dialogs.node import NodeDialog
from oz_installer.tui.steps import STEPS
from oz_installer.tui.widgets.cards import Cards
from oz_installer.tui.widgets.choice import Choice
from oz_installer.tui.widgets.menu import Menu
from oz_installer.tui.widgets.row_list import RowList
from tests.tui.fifty import ANSWERS, FiftyCore
from tests.tui.probes import driver_of
from tests.tui.watchdog import Clock, watchdog

KEYS = 100
"""So many keys of each kind on every screen, at least."""

GAPS = (*(0.033,) * 7, 0.120)
"""Seconds between two keys: bursts as of a key that is held down, and pauses in which answers are judged."""

PATIENCE = 0.12
"""A key that has changed nothing after so many seconds does nothing here."""

ROWS = 20
"""No more rows of a list are gone through at once."""

Keys = Generator[str, bool | None, None]
"""Keys to press; "" is a pause. They are told whether the last one did something."""

Paint = tuple[float, float]
"""Seconds until a frame, and those of computing."""

IDLE = 60.0
"""Seconds in which everything comes to rest."""

WRITTEN = "az0.-"
WORK = 8.0
"""Seconds that the installation takes, so that keys are pressed meanwhile."""


class Typist:
    """Presses keys, and waits for their frames."""

    def __init__(self, app: WizardApp, pilot: Pilot[ExitOutcome], file: Any) -> None:
        self._app = app
        self._pilot = pilot
        self._file = file
        self._clock = Clock()
        self._gaps = cycle(GAPS)
        self._before: object = None
        self._painted: asyncio.Future[Paint] | None = None
        self._driver = driver_of(app)
        self._flush = self._driver.flush
        self._driver.flush = self._flushed  # type: ignore[method-assign]

    @property
    def _focused(self) -> Widget | None:
        return self._app.focused

    def _state(self) -> object:
        """What a key may change: the cursor's place, and what is under it."""
        one = self._focused
        names = ("value", "text", "cursor_position", "cursor_location", "cursor", "chosen", "highlighted")
        state = (getattr(one, name, None) for name in (*names, "cursor_coordinate", "scroll_offset"))
        return one, *state

    def _flushed(self) -> None:
        """A frame was handed over."""
        self._flush()
        waiting = self._painted
        if waiting is not None and not waiting.done() and self._state() != self._before:
            waiting.set_result((self._clock(), time.thread_time()))

    async def press(self, key: str) -> Paint | None:
        """Seconds until a key's frame, and those of computing; None when it changes nothing."""
        self._before, self._painted = self._state(), asyncio.get_running_loop().create_future()
        began, computed = self._clock(), time.thread_time()
        self._driver.process_message(events.Key(key, key if len(key) == 1 else None))
        await asyncio.wait([self._painted], timeout=PATIENCE)
        if not self._painted.done() and self._state() == self._before:
            return None
        until, then = await asyncio.wait_for(self._painted, 100 * PATIENCE)
        return until - began, then - computed

    async def command(self, key: str) -> None:
        """Press a key that makes other things happen."""
        self._driver.process_message(events.Key(key, key if len(key) == 1 else None))
        await asyncio.sleep(PATIENCE)

    def _note(self, **what: object) -> None:
        print(json.dumps(what), file=self._file)

    async def take(self, screen: str, what: str, keys: Keys) -> None:
        """Press keys until there are enough."""
        taken = pressed = 0
        paint: Paint | None = None
        while taken < KEYS and pressed < 2 * KEYS:
            key = keys.send(paint is not None if pressed else None)
            pressed += 1
            paint = await self.press(key) if key else None
            if paint is not None:
                taken += 1
                self._note(screen=screen, what=what, seconds=paint[0], cpu=paint[1])
            await asyncio.sleep(next(self._gaps))
        if taken < KEYS:
            raise RuntimeError(f"{screen}: of {pressed} keys only {taken} did something while {what}")

    def moves(self) -> Keys:
        """Down and up again in what the widget under the cursor shows, and on to the next one."""
        while True:
            there: tuple[str, ...] = ()
            if isinstance(self._focused, DataTable | RowList | Menu):
                there = ("down", "up")
            elif isinstance(self._focused, Choice | Cards):
                there = ("right", "left")
            for key in there:
                left = ROWS
                while (yield key) and left:
                    left -= 1
            yield "tab"

    def letters(self, fields: list[Widget]) -> Keys:
        """Text into every field in turn, and out again."""
        for field in cycle(fields):
            field.focus()
            yield ""
            for place in range(2 * len(WRITTEN)):
                yield WRITTEN[place] if place < len(WRITTEN) else "backspace"

    def fields(self) -> list[Widget]:
        """What can be typed into here."""
        return [one for one in self._app.screen.focus_chain if isinstance(one, Input | TextArea)]

    async def idle(self) -> None:
        """Until nothing is at work. Raises RuntimeError when that takes too long."""
        app = self._app
        try:
            async with asyncio.timeout(IDLE):
                while app.thinking or not all(worker.is_finished for worker in app.workers):
                    await asyncio.sleep(0.02)
                await self._pilot.pause()
                await asyncio.sleep(0.1)
        except TimeoutError as error:
            at_work = [worker for worker in app.workers if not worker.is_finished]
            raise RuntimeError(f"{app.screen} is not idle: judging {app.thinking}, {at_work}") from error

    async def use(self, screen: str) -> None:
        """Move about the screen that is open, and type wherever that is possible."""
        before = self._app.session.working
        await self.take(screen, "moving", self.moves())
        self._app.edit(before)
        await self.idle()
        if fields := self.fields():
            await self.take(screen, "typing", self.letters(fields))
            self._app.edit(before)
        await self.idle()


async def visit_all(app: WizardApp, typist: Typist) -> None:
    """Every step, and the form of a node."""
    for step in STEPS:
        app.go(step.id)
        await typist.idle()
        if step.id in ("preflight", "install"):
            await typist.command("enter")
        if step.id != "install":
            await typist.idle()
        await typist.use(step.id)
        if step.id == "nodes":
            await use_nodes(app, typist)


async def use_nodes(app: WizardApp, typist: Typist) -> None:
    """All are tested; then one is edited."""
    app.screen.query_one(DataTable).focus()
    await typist.command("f5")
    await typist.idle()
    await typist.command("e")
    await typist.idle()
    if not isinstance(app.screen, NodeDialog):
        raise TypeError(f"{app.screen} is no form of a node")
    await typist.use("form of a node")
    await typist.command("escape")
    await typist.idle()


def main(folder: Path) -> None:
    """Use all of it."""
    path = folder / "answers.yml"
    path.write_text(ANSWERS)
    app = WizardApp(FiftyCore(WORK), path, "start")
    with (folder / "keys.jsonl").open("w", buffering=1) as file:

        async def use(pilot: Pilot[ExitOutcome]) -> None:
            with watchdog() as watch:  # from the first frame on
                typist = Typist(app, pilot, file)
                await typist.idle()
                await visit_all(app, typist)
            print(json.dumps({"longest": watch.seconds, "callback": watch.callback}), file=file)
            app.exit()

        asyncio.run(app.run_async(auto_pilot=use))
