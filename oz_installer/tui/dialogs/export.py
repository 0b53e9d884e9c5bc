"""Where the picture goes."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from oz_installer.tui.dialogs.save import SaveDialog
from oz_installer.tui.widgets.text_input import TextInput


class ExportDialog(SaveDialog):
    """Dismissed with the path of the picture."""

    HEADING = "Export the topology"

    def body(self) -> ComposeResult:
        """The path, and what is in the file."""
        yield Static("SVG file", markup=False)
        yield TextInput(str(self._path), id="path")
        yield Static("", id="wrong", markup=False)
        yield Static(
            "The picture of this page, for documents and browsers. It holds no passwords. "
            "A file of that name is replaced.",
            classes="dialog-hint",
            markup=False,
        )
