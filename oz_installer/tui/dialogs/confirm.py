"""Dialog with two answers."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.widgets.button import FlatButton


class Confirm(Dialog[bool]):
    """Dialog that returns True for yes. The focus is on the answer that changes nothing."""

    HEADING = "Please confirm"
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, *, yes: str, no: str, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._question, self._yes, self._no = question, yes, no

    def body(self) -> ComposeResult:
        """Compose the question."""
        yield Static(self._question, markup=False)

    def foot(self) -> ComposeResult:
        """Compose both answers."""
        with Horizontal(classes="dialog-buttons"):
            yield FlatButton(self._yes, id="yes")
            yield FlatButton(self._no, id="no", key="Esc", primary=True)

    def action_give_up(self) -> None:
        """Answer no: Escape changes nothing."""
        self.dismiss(False)

    @on(FlatButton.Pressed)
    def _answered(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.dismiss(event.push.id == "yes")
