"""A widget that shows answers and follows them when they are edited elsewhere; what it says when edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from oz_installer.answers.working import Working
    from oz_installer.tui.bridge import Judged


@dataclass(eq=False)
class Edited(Message):
    """The operator edited an answer: ``change`` makes the answers what they are now.

    A screen hands it to the app; a dialog that may be given up keeps the answers it makes to itself.
    """

    key: str
    change: Callable[[Working], Working]


@dataclass(eq=False)
class Said(Message):
    """A widget has something to say that belongs in the line above the keys."""

    words: str


class Follower(Widget):
    """Shows some answers."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The questions that it shows."""
        return ()

    def follow(self, working: Working, judged: Judged | None) -> None:
        """Show these answers. ``judged`` is None until these very answers were judged."""

    def take_focus(self, key: str) -> bool:  # noqa: ARG002
        """Put the cursor on the field of a question; False when it is not here."""
        return False
