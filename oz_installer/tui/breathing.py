"""Screens that are shown in short pieces of work, between which the event loop goes on."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events
from textual.message_pump import MessagePump
from textual.screen import Screen

LONG = (events.ScreenResume, events.Resize, events.Compose)
SIZES = ("-narrow", "-wide", "-short", "-tall")
"""Classes that tell a screen's size; see ``WizardApp``."""


class Breathing(MessagePump):
    """Textual handles the events that wait for a screen without a pause, and styles all of it each time it is
    shown: 85 ms for the largest."""

    _theme = ""

    async def on_event(self, event: events.Event) -> None:
        """Handle it; after a long one others come before the next."""
        if isinstance(event, events.ScreenResume):
            event.refresh_styles = self._theme not in ("", self.app.theme)  # at first it is styled already
            self._theme = self.app.theme
        await super().on_event(event)
        if isinstance(event, LONG):
            await asyncio.sleep(0)


def sized_as(screen: Screen[Any], other: Screen[Any]) -> None:
    """A screen that is about to be shown has the size's classes from the start, and is styled once."""
    for name in SIZES:
        screen.set_class(other.has_class(name), name)
