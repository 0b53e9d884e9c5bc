"""A widget that shows answers: it follows them when they are edited elsewhere, and edits them itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.core import Validation


class AnswerOwner(Protocol):
    """A screen with answers: a step hands edits to the app, a dialog may keep them to itself.

    Edits are made at once, not by message: a key that saves or leaves comes behind all that was typed.
    """

    def edit_answers(self, change: Callable[[WorkingCopy], WorkingCopy]) -> None:
        """The operator edited an answer: ``change`` makes the answers what they are now. The widget itself
        shows it at once; all else follows in the next frame."""

    def follow(self) -> None:
        """Let everything show the answers as they are now."""

    def follow_soon(self) -> None:
        """The same in the next frame, or before the next key that is no text."""


def question_at(widget: Widget | None) -> str | None:
    """The question in whose field a widget is, such as the focused one."""
    around = widget.ancestors_with_self if widget else ()
    owners = [one for one in around if isinstance(one, AnswerWidget) and len(one.keys) == 1]
    return owners[0].keys[0] if owners else None


@dataclass(eq=False)
class Notice(Message):
    """A widget has something to say that belongs in the line above the keys."""

    words: str


class AnswerWidget(Widget):
    """Shows some answers."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The questions that it shows."""
        return ()

    @property
    def owner(self) -> AnswerOwner:
        """The screen that has the answers."""
        return cast("AnswerOwner", self.screen)

    def follow(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Show these answers. ``judged`` is None until these very answers were judged."""

    def blame(self) -> None:
        """From now on missing answers are told, too."""

    def take_focus(self, key: str) -> bool:  # noqa: ARG002 - for those that show something
        """Put the cursor on the field of a question; False when it is not here."""
        return False

    def why_not(self, key: str) -> str:  # noqa: ARG002 - for those that show something
        """Why the field of a question cannot have the cursor; empty when it can, or is not here."""
        return ""
