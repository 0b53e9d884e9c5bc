"""Run the garbage collector while nobody types, so that no key press waits for it."""

from __future__ import annotations

import gc
import time

from textual.app import App
from textual.events import Event, InputEvent
from textual.message_pump import MessagePump

from oz_installer.tui.internals.switches import on

EVERY, PAUSE = 0.25, 0.08
"""Seconds between two collections at least, and without a key press before one."""

FULL_EVERY = 50
"""Rounds of the second generation before a full collection without a pause; Python uses 10."""


class IdleGc(MessagePump):
    """An app that collects garbage itself; Python would take 10 to 200 ms every twenty keys."""

    _pressed = 0.0
    _dirty = False
    _loaded = False
    _before: tuple[int, int, int] | None = None

    def start_idle_gc(self) -> None:
        """Start collecting in pauses. Modules loaded by now are frozen: no collection scans them."""
        if not on("idle-gc"):
            return
        self._before = first, second, _ = gc.get_threshold()
        gc.set_threshold(first, second, FULL_EVERY)
        gc.freeze()
        gc.enable()
        self._loaded = True
        self.set_interval(EVERY, self._pause)

    async def on_event(self, event: Event) -> None:
        """Record the time of input."""
        if isinstance(event, InputEvent):
            self._pressed, self._dirty = time.monotonic(), True
        await super().on_event(event)

    def _pause(self) -> None:
        if self._dirty and time.monotonic() - self._pressed > PAUSE:
            self.collect()

    def collect(self) -> None:
        """Collect now and freeze the survivors: the widgets of a step live long."""
        if self._loaded and isinstance(self, App):
            self._dirty = False
            gc.collect()
            if self.screen_stack and not self.screen.is_modal:
                gc.freeze()

    def stop_idle_gc(self) -> None:
        """Restore Python's own garbage collection."""
        self._loaded = False
        if self._before is not None:
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None
