"""Dialog for the file of an exported picture."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from oz_installer.tui.dialogs.save import SaveDialog
from oz_installer.tui.widgets.text_input import TextInput


class ExportDialog(SaveDialog):
    """Dialog that returns the path of the picture."""

    HEADING = "Export the topology"

    def body(self) -> ComposeResult:
        """Compose the path and a note about the file."""
        yield Static("SVG file", markup=False)
        yield TextInput(str(self._path), id="path")
        yield Static("", id="wrong", markup=False)
        yield Static(
            "The topology as a picture for documents and browsers, without passwords. "
            "An existing file is replaced.",
            classes="dialog-hint",
            markup=False,
        )
