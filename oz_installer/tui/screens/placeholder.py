"""A step that is not written yet: its questions as a plain form."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.steps import keys_of
from oz_installer.tui.widgets.form import Form


class Placeholder(StepScreen):
    """Shows the questions of its step that are no table's."""

    def body(self) -> ComposeResult:
        """A form, or a line that says what is missing."""
        keys = [key for key in keys_of(self.STEP) if "[]" not in key and key != "nodes"]
        if keys:
            yield Form(*keys)
        yield Static("This step is not written yet.", classes="hint", markup=False)
