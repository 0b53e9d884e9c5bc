"""One line of text that takes pasted text in without control characters, and says what it left out."""

from __future__ import annotations

import re

from textual import events
from textual.widgets import Input

from oz_installer.tui.widgets.follower import Said

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


class TextInput(Input):
    """A text input of one row."""

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        password: bool = False,
        id: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(
            value,
            placeholder=placeholder,
            password=password,
            id=id,
            disabled=disabled,
            compact=True,
            select_on_focus=False,
        )

    def _on_paste(self, event: events.Paste) -> None:
        """The first line that is not empty, without control characters."""
        event.stop()
        event.prevent_default()
        lines = [line for line in event.text.splitlines() if line.strip()]
        if not lines:
            return
        line = lines[0] if self.password else lines[0].strip()
        clean = _CONTROL.sub("", line.replace("\t", " "))
        self.replace(clean, *self.selection)
        left = []
        if len(lines) > 1:
            left.append(f"{len(lines) - 1} more line{'s' if len(lines) > 2 else ''}")
        if len(clean) < len(line):
            left.append("control characters")
        if left:
            self.post_message(Said(f"Pasted one line; left out: {' and '.join(left)}."))

    def action_copy(self) -> None:
        """A password is not copied out of its field."""
        if not self.password:
            super().action_copy()

    def action_cut(self) -> None:
        """A password is removed, and not copied."""
        if self.password:
            self.delete_selection()
        else:
            super().action_cut()
