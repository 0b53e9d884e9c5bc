"""Static text that a screen updates."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class LiveText(Static):
    """Text that follows the answers; setting the same text again costs no layout.

    Screens set it after every key, and every real change lays out the whole screen.
    """

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(text, id=id, markup=False)
        self._shown = Content(text)

    def set_text(self, text: Content | str) -> None:
        """Show another text."""
        content = Content(text) if isinstance(text, str) else text
        if not content.is_same(self._shown):  # equal texts may have other colours
            self._shown = content
            self.update(content)
