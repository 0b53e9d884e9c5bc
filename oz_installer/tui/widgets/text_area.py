"""A text area for several lines."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from oz_installer.tui.internals.stable_components import StableComponents
from oz_installer.tui.widgets.answer_widget import Notice
from oz_installer.tui.widgets.text_input import printable


class MultilineInput(TextArea, StableComponents):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A text area that calls ``on_change`` directly on every change. Tab leaves it."""

    def __init__(self, *, placeholder: str, on_change: Callable[[str], None]) -> None:
        super().__init__(
            compact=True, show_line_numbers=False, highlight_cursor_line=False, placeholder=placeholder
        )
        self._on_change = on_change
        self._last = ""

    def show(self, text: str) -> None:
        """Show a text without calling the callback."""
        if text != self.text:
            self._last = text
            self.text = text

    def edit(self, edit: Edit) -> EditResult:
        """Apply an edit and report it."""
        result = super().edit(edit)
        self._report_change()
        return result

    def on_paste(self, event: events.Paste) -> None:
        """Insert the pasted lines without control characters."""
        event.stop()
        event.prevent_default()
        lines = event.text.split("\n")
        clean = "\n".join(printable(line.removesuffix("\r")) for line in lines)
        self.move_cursor(self.replace(clean, *self.selection, maintain_selection_offset=False).end_location)
        if len(clean) < len(event.text.replace("\r\n", "\n")):
            self.post_message(Notice("Pasted without control characters."))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Report undo and redo, which do not pass through ``edit``."""
        event.stop()
        self._report_change()

    def _report_change(self) -> None:
        if self.text != self._last:
            self._last = self.text
            self._on_change(self.text)
