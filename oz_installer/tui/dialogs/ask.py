"""A secret that the answers say is asked for: typed once for this session, masked, kept nowhere."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from oz_installer.secret import Secret
from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.text_input import TextInput


class AskSecret(Dialog[Secret]):
    """Dismissed with the secret."""

    HEADING = "A password is needed"
    AUTO_FOCUS = "TextInput"

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = label

    def body(self) -> ComposeResult:
        """What it is for, and where it is typed."""
        yield Static(self._label, markup=False)
        yield TextInput(password=True)

    def foot(self) -> ComposeResult:
        """Use it, or not."""
        yield from self.buttons("Use it", "use")

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
