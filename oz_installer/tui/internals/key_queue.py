"""Keys one after the other: each goes to where the cursor stands once the key before it has done its work.

Textual hands a key to what has the focus at that moment, and a key that moves the focus does so only after it
has travelled up to the app. What comes quickly (a password manager's Tab, a line that stalls) would be typed
into the field before, where a password may not even be masked.
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
"""Keys that stay in a field of text."""

ROUNDS = 2
"""One behind the key itself, one behind what the key had its widget tell (``Submitted``, ``Pressed``)."""

PATIENCE = 3.0
"""What follows a key waits no longer, in seconds: a widget may have gone with all its messages."""

NEW_SCREEN = 1.5
"""What follows a key that opened or closed a screen waits no longer: another one may come over it."""


@dataclass(eq=False)
class KeyHandled(Message):
    """Travels up to the app behind a key, through the same queues."""

    key: int
    lap: int
    target: DOMNode
    screen: DOMNode


class KeyQueue:
    """Holds keys and pasted text back while a key before them is under way."""

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
        """Whether a key is under way, or held."""
        return self._under_way or bool(self._held)

    async def take(self, event: events.Key | events.Paste) -> None:
        """Hand a key or pasted text on, now or when its turn comes."""
        self._held.append(event)
        if not self._under_way:
            await self._hand_on()
        elif len(self._held) == 1 and self._seconds == PATIENCE:
            self._wait()

    async def passed(self, message: KeyHandled) -> None:
        """A lap is over: the next one, or the next key."""
        if message.key != self._key or not self._under_way:
            return
        here = self._app.screen
        if message.lap < ROUNDS and self._run(message.lap + 1, message.target, message.screen):
            return
        if here is not message.screen:  # where its cursor is, it knows once it is drawn
            here.call_after_refresh(self._run, ROUNDS, here, here)
            self._wait(NEW_SCREEN)
        else:
            await self._go_on(message.key)

    async def _hand_on(self) -> None:
        """The keys that are held, up to one that may change where the next one goes."""
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
        """Send a message behind the key. Whether its target still takes any."""
        return target.post_message(KeyHandled(self._key, lap, target, screen))

    def _wait(self, seconds: float = PATIENCE) -> None:
        """Not for ever."""
        self._stop_waiting()
        key, self._seconds = self._key, seconds
        self._patience = OneShotTimer(self._app, seconds, lambda: self._go_on(key))

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None

    async def _go_on(self, key: int) -> None:
        """The key has done its work, or nobody can say."""
        if key == self._key:
            self._under_way = False
        self._stop_waiting()
        await self._hand_on()


def _edits(event: events.Key | events.Paste, target: object) -> bool:
    """Whether it only changes the field that it goes to, or moves within it."""
    within = isinstance(event, events.Key) and event.key in EDITING and _takes_text(target)
    return within or _stays(event, target)


def _stays(event: events.Key | events.Paste, target: object) -> bool:
    """Whether it is text for a field, which moves nothing: the next one may follow at once."""
    return (isinstance(event, events.Paste) or event.is_printable) and _takes_text(target)


def _takes_text(target: object) -> bool:
    """Whether it is a field that can be typed into."""
    return isinstance(target, Widget) and target.check_consume_key("a", "a")


class KeyQueueApp(App[T]):
    """An app that takes keys one after the other; all else as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.in_order = KeyQueue(self, super().on_event)

    def catch_up(self) -> None:
        """Do now what was put off until after the next frame: a key comes that may go where it leads."""

    async def on_event(self, event: events.Event) -> None:
        """A key, or something else."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.in_order.take(event)
        else:
            await super().on_event(event)

    @on(KeyHandled)
    async def _key_passed(self, message: KeyHandled) -> None:
        message.stop()
        await self.in_order.passed(message)
