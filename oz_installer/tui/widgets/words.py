"""Text that a screen writes itself."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """Words that follow the answers. Said once more they cost nothing: a screen that says something follows
    every key, and text that takes room lays all of it out anew."""

    _said: Content | str | None = None

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(text, id=id, markup=False)
        self._said = text

    def say(self, text: Content | str) -> None:
        """Say this from now on."""
        if text != self._said:
            self._said = text
            self.update(text)
