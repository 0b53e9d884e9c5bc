"""Text that a screen writes itself."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class LiveText(Static):
    """Words that follow the answers. Said once more they cost nothing: a screen that says something follows
    every key, and text that takes room lays all of it out anew."""

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(text, id=id, markup=False)
        self._said = Content(text)

    def set_text(self, text: Content | str) -> None:
        """Say this from now on."""
        said = Content(text) if isinstance(text, str) else text
        if not said.is_same(self._said):  # equal ones may have other colours
            self._said = said
            self.update(said)
