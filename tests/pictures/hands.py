"""The operator's hands and eyes: keys go in, frames come out. Nothing else touches the wizard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from textual.widget import Widget

from oz_installer.tui.app import WizardApp
from oz_installer.tui.steps import number
from oz_installer.tui.widgets.answer_widget import AnswerWidget
from tests.pictures.frame import Frame, frame_of
from tests.pictures.svg import Shot
from tests.tui.support import Driver, app_of

LARGE, SMALL, TINY = (120, 40), (80, 24), (40, 10)
KEY_SECONDS = 0.06
LOOK_SECONDS = 1.6
SAMPLE_SECONDS = 0.5
PATIENCE = 900.0
"""No wait is longer, in seconds: an installation on a busy machine."""
FAR = 200
"""So many times Tab is pressed at most on the way to a field."""


@dataclass
class Hands:
    """``pictures`` are what is kept of a run, ``film`` is all of it, ``reel`` the short form."""

    pilot: Driver
    pictures: dict[str, Frame] = field(default_factory=dict)
    film: list[Shot] = field(default_factory=list)
    reel: list[Shot] = field(default_factory=list)

    @property
    def app(self) -> WizardApp:
        """The wizard, to look at."""
        return app_of(self.pilot)

    # --- keys -----------------------------------------------------------------------------------------
    async def press(self, *keys: str) -> None:
        """Press keys one after the other; then wait until the wizard is at rest."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()
            self._filmed(KEY_SECONDS)
        await self.rest()

    async def write(self, text: str) -> None:
        """Type, letter by letter."""
        await self.press(*text)

    async def reach(self, wanted: Callable[[Widget], bool], what: str) -> None:
        """Press Tab until the cursor stands on it."""
        for _ in range(FAR):
            now = self.app.focused
            if now is not None and wanted(now):
                return
            await self.pilot.press("tab")
            await self.pilot.pause()
            self._filmed(KEY_SECONDS)
        raise LookupError(f"Tab does not lead to {what}:\n{frame_of(self.app).text}")

    async def field(self, key: str) -> None:
        """Go to the field of a question."""
        await self.reach(lambda one: key in _keys(one), f"the field of {key}")

    async def push(self, name: str) -> None:
        """Go to a button, and push it."""
        await self.reach(lambda one: one.id == name, f"the button {name}")
        await self.pilot.press("enter")

    async def step(self, name: str) -> None:
        """Go to a step through the list of steps."""
        await self.press("f2", "home", *["down"] * number(name), "enter")

    # --- waiting --------------------------------------------------------------------------------------
    async def rest(self) -> None:
        """Wait until nothing is at work and the screen is drawn."""
        await self.pilot.pause()
        await self.watch(self.idle, "the end of what is at work")
        await self.pilot.pause()
        self._filmed(KEY_SECONDS)

    def idle(self) -> bool:
        """Whether nothing is at work and the answers are judged."""
        return not self.app.thinking and all(worker.is_finished for worker in self.app.workers)

    async def watch(self, done: Callable[[], bool], what: str, *, reel_every: float = PATIENCE) -> None:
        """Film until something is so; the reel gets a frame now and then."""
        clock = asyncio.get_running_loop().time
        began = shown = filmed = clock()
        while not done():
            if clock() - began > PATIENCE:
                raise TimeoutError(f"{what} does not come:\n{frame_of(self.app).text}")
            await asyncio.sleep(0.02)
            if clock() - filmed >= SAMPLE_SECONDS:
                filmed = clock()
                self._filmed(SAMPLE_SECONDS)
            if clock() - shown >= reel_every:
                shown = clock()
                self.reel.append(Shot(frame=frame_of(self.app), seconds=reel_every / 2))

    def sees(self, text: str) -> bool:
        """Whether it stands on the screen."""
        return text in self.text

    @property
    def text(self) -> str:
        """All that can be read on the screen now."""
        return frame_of(self.app).text

    # --- pictures -------------------------------------------------------------------------------------
    async def shoot(self, name: str, *, everywhere: bool = True) -> None:
        """Take pictures of the screen: large and dark; ``everywhere``: also light, and small."""
        frame = frame_of(self.app)
        self.pictures[name] = frame
        shot = Shot(frame=frame, seconds=LOOK_SECONDS)
        self.film.append(shot)
        self.reel.append(shot)
        if everywhere:
            async with self._aside():
                await self.pilot.press("ctrl+t")
                await self.rest()
                self.pictures[f"{name}-light"] = frame_of(self.app)
                await self.pilot.press("ctrl+t")
                await self.rest()
            await self.small(name)

    async def small(self, name: str, size: tuple[int, int] = SMALL) -> None:
        """A picture in another size; then the window is large again."""
        async with self._aside():
            await self.pilot.resize_terminal(*size)
            await self.rest()
            self.pictures[f"{name}-{size[0]}x{size[1]}"] = frame_of(self.app)
            await self.pilot.resize_terminal(*LARGE)
            await self.rest()

    @asynccontextmanager
    async def _aside(self) -> AsyncIterator[None]:
        """What is done here is not filmed."""
        count = len(self.film)
        yield
        del self.film[count:]

    def _filmed(self, seconds: float) -> None:
        frame = frame_of(self.app)
        if self.film and self.film[-1].frame == frame:
            seconds = min(self.film.pop().seconds + seconds, LOOK_SECONDS * 2)
        self.film.append(Shot(frame=frame, seconds=seconds))


def _keys(widget: Widget) -> set[str]:
    """The questions whose field a widget is part of; a form of many names none."""
    around = [
        one for one in widget.ancestors_with_self if isinstance(one, AnswerWidget) and len(one.keys) == 1
    ]
    return {one.keys[0] for one in around}
