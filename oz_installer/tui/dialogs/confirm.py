"""A question with two answers."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.widgets.button import FlatButton


class Confirm(Dialog[bool]):
    """True when the operator is sure. The cursor stands on the answer that changes nothing."""

    HEADING = "Please confirm"
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, *, yes: str, no: str, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._question, self._yes, self._no = question, yes, no

    def body(self) -> ComposeResult:
        """The question."""
        yield Static(self._question, markup=False)

    def foot(self) -> ComposeResult:
        """Both answers."""
        with Horizontal(classes="dialog-buttons"):
            yield FlatButton(self._yes, id="yes")
            yield FlatButton(self._no, id="no", key="Esc", primary=True)

    def action_give_up(self) -> None:
        """Escape is the key of the answer that changes nothing."""
        self.dismiss(False)

    @on(FlatButton.Pressed)
    def _answered(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.dismiss(event.push.id == "yes")
