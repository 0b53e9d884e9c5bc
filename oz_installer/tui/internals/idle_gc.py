"""When garbage is looked for: in the pauses between keys, so that none of them waits for it."""

from __future__ import annotations

import gc
import time

from textual.app import App
from textual.events import Event, InputEvent
from textual.message_pump import MessagePump

from oz_installer.tui.internals.switches import on

EVERY, PAUSE = 0.25, 0.08
"""Seconds: how often it is looked for at most, and how long nobody has pressed a key then."""

FULL_EVERY = 50
"""Rounds of the second generation, should there be no pause; Python itself takes ten."""


class IdleGc(MessagePump):
    """An app that collects its garbage itself. Python would take 10 to 200 ms for it, every twenty keys."""

    _pressed = 0.0
    _dirty = False
    _loaded = False
    _before: tuple[int, int, int] | None = None

    def start_idle_gc(self) -> None:
        """All modules are there: they stay for good, and are not looked through again."""
        if not on("idle-gc"):
            return
        self._before = first, second, _ = gc.get_threshold()
        gc.set_threshold(first, second, FULL_EVERY)
        gc.freeze()
        gc.enable()
        self._loaded = True
        self.set_interval(EVERY, self._pause)

    async def on_event(self, event: Event) -> None:
        """Note when somebody does something."""
        if isinstance(event, InputEvent):
            self._pressed, self._dirty = time.monotonic(), True
        await super().on_event(event)

    def _pause(self) -> None:
        if self._dirty and time.monotonic() - self._pressed > PAUSE:
            self.collect()

    def collect(self) -> None:
        """Collect now. What lives on a step stays for long, and is not looked through the next time."""
        if self._loaded and isinstance(self, App):
            self._dirty = False
            gc.collect()
            if self.screen_stack and not self.screen.is_modal:
                gc.freeze()

    def stop_idle_gc(self) -> None:
        """The wizard is gone, the program may go on: Python's own way again."""
        self._loaded = False
        if self._before is not None:
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None
