"""Dialog for a secret that the answers leave to a prompt; kept for this session only."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from oz_installer.secret import Secret
from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.text_input import TextInput


class SecretDialog(Dialog[Secret]):
    """Dialog that returns the secret."""

    HEADING = "Password required"
    AUTO_FOCUS = "TextInput"

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = label

    def body(self) -> ComposeResult:
        """Compose the label and the input."""
        yield Static(self._label, markup=False)
        yield TextInput(password=True)

    def foot(self) -> ComposeResult:
        """Compose the buttons."""
        yield from self.buttons("Continue", "use")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._use()

    @on(FlatButton.Pressed, "#use")
    def _pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self._use()

    def _use(self) -> None:
        if text := self.query_one(TextInput).value:
            self.dismiss(Secret(text))
