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


PIECE = 12
"""Widgets that are styled in one go: 10 ms."""


class Breathing(MessagePump):
    """Textual handles the events that wait for a screen without a pause, and styles all of it each time it is
    shown: 85 ms for the largest."""

    _theme = ""

    async def on_event(self, event: events.Event) -> None:
        """Handle it; after a long one others come before the next."""
        if isinstance(event, events.ScreenResume):
            event.refresh_styles = False
            before, self._theme = self._theme, self.app.theme
            if before not in ("", self._theme):  # at first it is styled already
                await self._style()
        await super().on_event(event)
        if isinstance(event, LONG):
            await asyncio.sleep(0)

    async def _style(self) -> None:
        """Give every widget the colours of another theme."""
        nodes = list(self.walk_children(with_self=True)) if isinstance(self, Screen) else []
        for place in range(0, len(nodes), PIECE):
            self.app.stylesheet.update_nodes(nodes[place : place + PIECE])
            await asyncio.sleep(0)


def sized_as(screen: Screen[Any], other: Screen[Any]) -> None:
    """A screen that is about to be shown has the size's classes from the start, and is styled once."""
    for name in SIZES:
        screen.set_class(other.has_class(name), name)
