"""Base class of widgets that show answers and edit them, and its contract with the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.messages import Validation


class AnswerOwner(Protocol):
    """A screen that holds the answers: a step passes edits to the app, a dialog may keep them.

    Edits are direct calls, not messages, so that a key that saves or quits sees everything typed before it.
    """

    def edit_answers(self, change: Callable[[WorkingCopy], WorkingCopy]) -> None:
        """Apply an edit. The widget has shown it already; the rest follows in the next frame."""
        ...

    def follow(self) -> None:
        """Refresh everything that shows answers."""
        ...

    def follow_soon(self) -> None:
        """Refresh in the next frame, or before the next key that is not text."""
        ...


def question_at(widget: Widget | None) -> str | None:
    """Return the key of the question whose field contains the widget, such as the focused one."""
    around = widget.ancestors_with_self if widget else ()
    owners = [one for one in around if isinstance(one, AnswerWidget) and len(one.keys) == 1]
    return owners[0].keys[0] if owners else None


@dataclass(eq=False)
class Notice(Message):
    """A message of a widget for the status line."""

    text: str


class AnswerWidget(Widget):
    """Shows answers and lets the operator edit them."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the questions that it shows."""
        return ()

    @property
    def owner(self) -> AnswerOwner:
        """The screen that holds the answers."""
        return cast("AnswerOwner", self.screen)

    def follow(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Show these answers. ``judged`` is None until exactly these answers are validated."""

    def mark_missing(self) -> None:
        """Report missing answers from now on."""

    def take_focus(self, key: str) -> bool:  # noqa: ARG002 - for subclasses
        """Focus the field of a question; return False when it is not in this widget."""
        return False

    def why_not(self, key: str) -> str:  # noqa: ARG002 - for subclasses
        """Return why a question's field cannot be focused; empty when it can, or is not here."""
        return ""
