"""A choice that no single question holds: what follows from it is put into the answers by the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget

from oz_installer.tui.widgets.choice import Choice, Option
from oz_installer.tui.widgets.field import FieldMessage


class DerivedChoice(Widget):
    """It looks like a field; ``told`` is called at once with what was chosen."""

    def __init__(
        self, label: str, options: Sequence[Option], *, told: Callable[[str], None], id: str
    ) -> None:
        super().__init__(id=id, classes="field")
        self._label, self._options, self._told = label, tuple(options), told

    def render(self) -> Content:
        """The label."""
        return Content(self._label)

    def compose(self) -> ComposeResult:
        """The choice, and what is to be said of it."""
        yield Choice(self._options, told=self._told)
        yield FieldMessage(classes="note", markup=False)

    def show(self, options: Sequence[Option], value: str, note: str, look: str = "") -> None:
        """What is chosen, and a note under it."""
        self.query_one(Choice).show(options, (value,))
        self.query_one(FieldMessage).show(note, look)
