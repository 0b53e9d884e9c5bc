"""Report of a test: text made for its width, scrolled by keys when it is too long."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from oz_installer.tui.widgets.static_text import LiveText

Write = Callable[[int], Content]


class TestReport(VerticalScroll):
    """A report that takes the focus only when it has to scroll."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="report", can_focus=False)
        self._write: Write = lambda _width: Content("")

    def compose(self) -> ComposeResult:
        """Compose the text."""
        yield LiveText()

    def show(self, write: Write) -> None:
        """Show the text that ``write`` makes for a width."""
        self._write = write
        self._draw()

    def on_resize(self) -> None:
        """Wrap the text again."""
        self._draw()

    def _draw(self) -> None:
        self.query_one(LiveText).set_text(self._write(max(self.size.width - 2, 30)))
        self.call_after_refresh(self._may_scroll)

    def _may_scroll(self) -> None:
        self.can_focus = self.max_scroll_y > 0
