"""A one-row button: Enter, Space or a click presses it, arrows move to its neighbours."""

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
    """A button. ``primary`` marks the usual choice, ``key`` is shown after the label.

    ``action`` is the screen's action to run.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("enter,space", "push"),
        ("left", "beside(-1)"),
        ("right", "beside(1)"),
    ]
    ALLOW_SELECT = False

    @dataclass(eq=False)
    class Pressed(Message):
        """The button was pressed."""

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
        """Draw the label in brackets, so that it looks like a button without colours."""
        key = Content.assemble(" ", (self.key, "not bold")) if self.key else Content("")
        return Content.assemble("[ ", self.label, key, " ]")

    def relabel(self, label: str) -> None:
        """Change the label."""
        if label != self.label:
            other_width = cell_len(label) != cell_len(self.label)
            self.label = label
            self.refresh(layout=other_width)

    def action_push(self) -> None:
        """Press the button."""
        self.post_message(self.Pressed(self))

    def action_beside(self, by: int) -> None:
        """Focus another button of the same row."""
        around = self.parent.children if self.parent is not None else ()
        row = [one for one in around if isinstance(one, FlatButton) and one.focusable]
        index = row.index(self) + by
        if 0 <= index < len(row):
            row[index].focus()

    def on_click(self, event: events.Click) -> None:
        """Press the button."""
        event.stop()
        self.action_push()
