"""A choice that is no question itself: the screen derives several answers from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget

from oz_installer.tui.widgets.choice import Choice, Option
from oz_installer.tui.widgets.field import FieldMessage


class DerivedChoice(Widget):
    """Looks like a field; ``on_change`` is called directly with the chosen value."""

    def __init__(
        self, label: str, options: Sequence[Option], *, on_change: Callable[[str], None], id: str
    ) -> None:
        super().__init__(id=id, classes="field")
        self._label, self._options, self._on_change = label, tuple(options), on_change

    def render(self) -> Content:
        """Draw the label."""
        return Content(self._label)

    def compose(self) -> ComposeResult:
        """Compose the choice and a line under it."""
        yield Choice(self._options, on_change=self._on_change)
        yield FieldMessage(classes="note", markup=False)

    def show(self, options: Sequence[Option], value: str, note: str, look: str = "") -> None:
        """Show what is chosen and a note under it."""
        self.query_one(Choice).show(options, (value,))
        self.query_one(FieldMessage).show(note, look)
