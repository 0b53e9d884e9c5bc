"""Dialog for the path of the answers file."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from oz_installer.answers.local_files import resolve_path
from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.text_input import TextInput


class SaveDialog(Dialog[Path]):
    """Dialog that returns the path of the answers file."""

    HEADING = "Save the answers"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def body(self) -> ComposeResult:
        """Compose the path and a note about passwords."""
        yield Static("Answers file", markup=False)
        yield TextInput(str(self._path), id="path")
        yield Static("", id="wrong", markup=False)
        yield Static(
            "Typed passwords are saved next to it in separate files that only you can read.",
            classes="dialog-hint",
            markup=False,
        )

    def foot(self) -> ComposeResult:
        """Compose the buttons."""
        yield from self.buttons("Save", "save")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._save()

    @on(FlatButton.Pressed, "#save")
    def _pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self._save()

    def _save(self) -> None:
        text = self.query_one("#path", TextInput).value.strip()
        if not text or text.endswith("/"):
            self.query_one("#wrong", Static).update("! Enter a file name, for example answers.yml")
            return
        self.dismiss(resolve_path(text, Path.cwd()))
