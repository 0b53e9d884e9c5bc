"""A button of one row: Enter, Space or a click pushes it; arrows lead to the one beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


class FlatButton(Widget, can_focus=True):
    """A button. ``primary`` is the one that most people want; ``key`` is told behind the label;
    ``action`` is what a screen runs for it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("enter,space", "push"),
        ("left", "beside(-1)"),
        ("right", "beside(1)"),
    ]
    ALLOW_SELECT = False

    @dataclass(eq=False)
    class Pressed(Message):
        """The button was pushed."""

        push: FlatButton

        @property
        def control(self) -> FlatButton:
            """The button."""
            return self.push

    def __init__(
        self,
        label: str,
        *,
        id: str | None = None,
        key: str = "",
        primary: bool = False,
        disabled: bool = False,
        action: str = "",
    ) -> None:
        super().__init__(id=id, classes="-primary" if primary else None, disabled=disabled)
        self.label = label
        self.key = key
        self.action = action

    def render(self) -> Content:
        """The label in brackets, so that it is a button without colours, too."""
        key = Content.assemble(" ", (self.key, "not bold")) if self.key else Content("")
        return Content.assemble("[ ", self.label, key, " ]")

    def relabel(self, label: str) -> None:
        """Write something else on it."""
        if label != self.label:
            other_width = cell_len(label) != cell_len(self.label)
            self.label = label
            self.refresh(layout=other_width)

    def action_push(self) -> None:
        """Push it."""
        self.post_message(self.Pressed(self))

    def action_beside(self, by: int) -> None:
        """Put the cursor on another button of the same row."""
        around = self.parent.children if self.parent is not None else ()
        row = [one for one in around if isinstance(one, FlatButton) and one.focusable]
        place = row.index(self) + by
        if 0 <= place < len(row):
            row[place].focus()

    def on_click(self, event: events.Click) -> None:
        """A click pushes it."""
        event.stop()
        self.action_push()
