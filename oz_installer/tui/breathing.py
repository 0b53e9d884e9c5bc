"""Screens that let the event loop go on between two events."""

from __future__ import annotations

import asyncio

from textual import events
from textual.message_pump import MessagePump

LONG = (events.ScreenResume, events.Resize, events.Compose)


class Breathing(MessagePump):
    """Textual handles the events that wait for a screen without a pause: showing one took up to 85 ms."""

    async def on_event(self, event: events.Event) -> None:
        """Handle it; after a long one others come before the next."""
        await super().on_event(event)
        if isinstance(event, LONG):
            await asyncio.sleep(0)
