"""A pause of the live display while the operator types an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Pausable(Protocol):
    """A display that can stand still."""

    def pause(self) -> None:
        """Leave the terminal alone; keep messages for later."""

    def resume(self) -> None:
        """Show everything again."""


_displays: list[Pausable] = []


def register(display: Pausable) -> None:
    """Pause this display, too, while the operator types."""
    _displays.append(display)


def unregister(display: Pausable) -> None:
    """Forget a display that was closed."""
    if display in _displays:
        _displays.remove(display)


@contextmanager
def displays_paused() -> Iterator[None]:
    """Pause all displays within the ``with`` block."""
    paused = list(_displays)
    for display in paused:
        display.pause()
    try:
        yield
    finally:
        for display in paused:
            display.resume()
