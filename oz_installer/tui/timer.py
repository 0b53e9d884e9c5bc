"""A timer that fires once, and always does.

Textual's ``set_timer`` reads the clock twice before it sleeps, and skips its only tick when more than the
delay lies between the two: when another thread or process gets the processor there, the callback never runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Callback = Callable[[], Awaitable[None] | None]


class MessageLoop(Protocol):
    """Owner of a message loop: the app, a screen, a widget."""

    def call_next(self, callback: Callable[..., Any]) -> None:
        """Call a function after the message that is being handled."""
        ...


class OneShotTimer:
    """Calls ``callback`` after ``seconds`` in the message loop of ``owner`` unless stopped."""

    def __init__(self, owner: MessageLoop, seconds: float, callback: Callback) -> None:
        self._owner = owner
        self._callback = callback
        self.pending = True
        self._handle = asyncio.get_running_loop().call_later(seconds, self._due)

    def stop(self) -> None:
        """Cancel the call, also when it is due already."""
        self.pending = False
        self._handle.cancel()

    def _due(self) -> None:
        self._owner.call_next(self._fire)

    def _fire(self) -> Awaitable[None] | None:
        if not self.pending:
            return None
        self.pending = False
        return self._callback()
