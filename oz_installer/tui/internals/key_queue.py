"""A queue that delivers keys in order: each one after the previous has moved the focus.

Textual sends a key to whatever has the focus at that moment, but a key that moves the focus does so only
after it has bubbled up to the app. Fast input (a password manager's Tab, a stalled connection) would go to
the previous field, where a password may not even be masked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from textual import events, on
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.widget import Widget

from oz_installer.tui.timer import OneShotTimer

T = TypeVar("T")

EDITING = frozenset({"backspace", "delete", "left", "right", "home", "end"})
"""Keys that stay in a text field."""

ROUNDS = 2
"""One behind the key itself, one behind its widget's message (``Submitted``, ``Pressed``)."""

PATIENCE = 3.0
"""Seconds that a key may hold back the next one: a widget may be gone with all its messages."""

NEW_SCREEN = 1.5
"""The same in seconds for a key that opened or closed a screen: another may cover it."""


@dataclass(eq=False)
class KeyHandled(Message):
    """Bubbles up to the app behind a key, through the same queues."""

    key: int
    lap: int
    target: DOMNode
    screen: DOMNode


class KeyQueue:
    """Holds back keys and pasted text while an earlier key is being handled."""

    def __init__(
        self, app: KeyQueueApp[Any], forward: Callable[[events.Key | events.Paste], Awaitable[None]]
    ) -> None:
        self._app = app
        self._forward = forward
        self._held: deque[events.Key | events.Paste] = deque()
        self._key = 0
        self._under_way = False
        self._patience: OneShotTimer | None = None
        self._seconds = PATIENCE

    @property
    def busy(self) -> bool:
        """True while a key is being handled or held back."""
        return self._under_way or bool(self._held)

    async def take(self, event: events.Key | events.Paste) -> None:
        """Deliver a key or pasted text, now or in its turn."""
        self._held.append(event)
        if not self._under_way:
            await self._hand_on()
        elif len(self._held) == 1 and self._seconds == PATIENCE:
            self._wait()

    async def passed(self, message: KeyHandled) -> None:
        """Handle the end of a round: start the next round or deliver the next key."""
        if message.key != self._key or not self._under_way:
            return
        here = self._app.screen
        if message.lap < ROUNDS and self._run(message.lap + 1, message.target, message.screen):
            return
        if here is not message.screen:  # its focus is known once it is drawn
            here.call_after_refresh(self._run, ROUNDS, here, here)
            self._wait(NEW_SCREEN)
        else:
            await self._go_on(message.key)

    async def _hand_on(self) -> None:
        """Deliver held keys up to one that may move the focus."""
        while self._held and not self._under_way:
            event, screen = self._held.popleft(), self._app.screen
            if not _edits(event, screen.focused):
                self._app.catch_up()
            target = screen.focused or screen
            await self._forward(event)
            if not _stays(event, target):
                self._key += 1
                self._under_way = self._run(1, target, screen)
                self._wait()  # the target may go, and with it what stands in its queue

    def _run(self, lap: int, target: DOMNode, screen: DOMNode) -> bool:
        """Send a message behind the key; return whether the target still accepts messages."""
        return target.post_message(KeyHandled(self._key, lap, target, screen))

    def _wait(self, seconds: float = PATIENCE) -> None:
        """Limit the wait for the current key."""
        self._stop_waiting()
        key, self._seconds = self._key, seconds
        self._patience = OneShotTimer(self._app, seconds, lambda: self._go_on(key))

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None

    async def _go_on(self, key: int) -> None:
        """Continue after a key is handled, or after the limit."""
        if key == self._key:
            self._under_way = False
        self._stop_waiting()
        await self._hand_on()


def _edits(event: events.Key | events.Paste, target: object) -> bool:
    """Return whether the key only edits its field or moves within it."""
    within = isinstance(event, events.Key) and event.key in EDITING and _takes_text(target)
    return within or _stays(event, target)


def _stays(event: events.Key | events.Paste, target: object) -> bool:
    """Return whether this is text for a field, which cannot move the focus."""
    return (isinstance(event, events.Paste) or event.is_printable) and _takes_text(target)


def _takes_text(target: object) -> bool:
    """Return whether the widget accepts text."""
    return isinstance(target, Widget) and target.check_consume_key("a", "a")


class KeyQueueApp(App[T]):
    """An app that handles keys one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.in_order = KeyQueue(self, super().on_event)

    def catch_up(self) -> None:
        """Do deferred work now, before a key that may depend on it."""

    async def on_event(self, event: events.Event) -> None:
        """Queue keys and pasted text; pass on everything else."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.in_order.take(event)
        else:
            await super().on_event(event)

    @on(KeyHandled)
    async def _key_passed(self, message: KeyHandled) -> None:
        message.stop()
        await self.in_order.passed(message)
