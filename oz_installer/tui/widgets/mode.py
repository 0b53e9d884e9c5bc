"""A choice that no single question holds: what follows from it is put into the answers by the screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from oz_installer.tui.widgets.choice import Choice, Option
from oz_installer.tui.widgets.field import Note


class Mode(Widget):
    """It looks like a field."""

    class Picked(Message):
        """Another one was chosen."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    def __init__(self, label: str, options: Sequence[Option], *, id: str) -> None:
        super().__init__(id=id, classes="field")
        self._label, self._options = label, tuple(options)

    def render(self) -> Content:
        """The label."""
        return Content(self._label)

    def compose(self) -> ComposeResult:
        """The choice, and what is to be said of it."""
        yield Choice(self._options)
        yield Note(classes="note", markup=False)

    def show(self, options: Sequence[Option], value: str, note: str, look: str = "") -> None:
        """What is chosen, and a note under it."""
        self.query_one(Choice).show(options, (value,))
        self.query_one(Note).show(note, look)

    @on(Choice.Picked)
    def _picked(self, event: Choice.Picked) -> None:
        event.stop()
        self.post_message(self.Picked(event.value))
