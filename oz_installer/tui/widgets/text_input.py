"""A one-line input that strips control characters from pasted text and reports it."""

from __future__ import annotations

import re
from collections.abc import Callable

from textual import events

from oz_installer.text import join_and, plural
from oz_installer.tui.internals.single_row_input import SingleRowInput
from oz_installer.tui.widgets.answer_widget import Notice

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def printable(line: str) -> str:
    """Remove characters that control a terminal or its text direction."""
    return _CONTROL.sub("", line.replace("\t", " "))


class TextInput(SingleRowInput):
    """A one-row text input that calls ``on_change`` directly on every change."""

    _on_change: Callable[[str], None] | None = None
    _quiet = False

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        password: bool = False,
        id: str | None = None,
        on_change: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(
            value,
            placeholder=placeholder,
            password=password,
            id=id,
            compact=True,
            select_on_focus=False,
            validate_on=(),  # the answers are validated as a whole
        )
        self._on_change = on_change

    def show(self, text: str) -> None:
        """Show a text without calling the callback."""
        if text != self.value:
            self._quiet = True
            self.value = text
            self._quiet = False

    def watch_value(self, value: str) -> None:
        """Report what is typed."""
        if self._on_change is not None and not self._quiet:
            self._on_change(value)

    def on_paste(self, event: events.Paste) -> None:
        """Insert the first line that is not empty, without control characters."""
        event.stop()
        event.prevent_default()
        lines = [line for line in event.text.splitlines() if line.strip()]
        if not lines:
            return
        line = lines[0] if self.password else lines[0].strip()
        clean = printable(line)
        self.replace(clean, *self.selection)
        skipped = []
        if len(lines) > 1:
            skipped.append(f"{plural(len(lines) - 1, 'more line')}")
        if len(clean) < len(line):
            skipped.append("control characters")
        if skipped:
            self.post_message(Notice(f"Pasted one line, skipped {join_and(skipped)}."))

    def action_copy(self) -> None:
        """Copy the selection, but never a password."""
        if not (self.password and self.selected_text):
            super().action_copy()

    def action_cut(self) -> None:
        """Cut the selection; a password is only removed."""
        if self.password:
            self.delete_selection()
        else:
            super().action_cut()
