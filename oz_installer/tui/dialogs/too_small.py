"""Screen that covers the wizard while the terminal is too small."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class TooSmall(ModalScreen[None]):
    """Shows the current and the required size; closes by itself."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+q", "app.leave"), ("ctrl+c", "app.interrupt")]

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(classes="too-small")
        self._least = (columns, rows)
        self._needed = f"{columns} x {rows}"
        self._shown = False

    def compose(self) -> ComposeResult:
        """Compose a few short lines."""
        yield Static(id="size")

    def on_mount(self) -> None:
        """Show the sizes."""
        self._show_sizes()

    def on_resize(self) -> None:
        """Show the new size."""
        self._show_sizes()

    def on_screen_resume(self) -> None:
        """Close if a dialog on top has closed and the terminal has grown.

        Not on the first call, in which the app's size may be the previous one.
        """
        again, self._shown = self._shown, True
        if again and self.app.size.width >= self._least[0] and self.app.size.height >= self._least[1]:
            self.dismiss(None)

    def _show_sizes(self) -> None:
        here = f"{self.app.size.width} x {self.app.size.height}"
        text = (
            f"This terminal is {here}.\noz-install needs {self._needed}.\n\n"
            "Enlarge it to continue;\n^Q quits and keeps a draft."
        )
        self.query_one("#size", Static).update(Content(text))


def show_size_notice(app: App[Any], small: bool, needed: tuple[int, int]) -> None:
    """Show the screen while the terminal is too small, remove it afterwards."""
    shown = app.screen.has_class("too-small")
    if shown and not small:
        app.pop_screen()
    elif small and not shown:
        app.push_screen(TooSmall(*needed))
