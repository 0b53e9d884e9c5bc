"""One line of text that takes pasted text in without control characters, and says what it left out."""

from __future__ import annotations

import re
from collections.abc import Callable

from textual import events

from oz_installer.text import join_and, plural
from oz_installer.tui.internals.single_row_input import SingleRowInput
from oz_installer.tui.widgets.answer_widget import Notice

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def printable(line: str) -> str:
    """A line without what would steer a terminal, or turn its direction."""
    return _CONTROL.sub("", line.replace("\t", " "))


class TextInput(SingleRowInput):
    """A text input of one row that calls ``told`` with every change, at once."""

    _told: Callable[[str], None] | None = None
    _quiet = False

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        password: bool = False,
        id: str | None = None,
        told: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(
            value,
            placeholder=placeholder,
            password=password,
            id=id,
            compact=True,
            select_on_focus=False,
            validate_on=(),  # the answers are judged as a whole
        )
        self._told = told

    def show(self, text: str) -> None:
        """Show a text without telling it."""
        if text != self.value:
            self._quiet = True
            self.value = text
            self._quiet = False

    def watch_value(self, value: str) -> None:
        """Tell what is typed."""
        if self._told is not None and not self._quiet:
            self._told(value)

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
        left = []
        if len(lines) > 1:
            left.append(f"{plural(len(lines) - 1, 'more line')}")
        if len(clean) < len(line):
            left.append("control characters")
        if left:
            self.post_message(Notice(f"Pasted one line; left out: {join_and(left)}."))

    def action_copy(self) -> None:
        """A password is not copied out of its field."""
        if not (self.password and self.selected_text):
            super().action_copy()

    def action_cut(self) -> None:
        """A password is removed, and not copied."""
        if self.password:
            self.delete_selection()
        else:
            super().action_cut()
