"""Stands before everything while the terminal is too small to work in."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class TooSmall(ModalScreen[None]):
    """Says how large the terminal is and must be; goes away by itself."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+q", "app.leave"), ("ctrl+c", "app.interrupt")]

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(classes="too-small")
        self._least = (columns, rows)
        self._needed = f"{columns} x {rows}"
        self._shown = False

    def compose(self) -> ComposeResult:
        """A few short lines."""
        yield Static(id="size")

    def on_mount(self) -> None:
        """Say it."""
        self._tell()

    def on_resize(self) -> None:
        """Say it anew."""
        self._tell()

    def on_screen_resume(self) -> None:
        """A dialog that stood on it is gone; meanwhile there may be room. At first the app's own size may
        still be the one before."""
        again, self._shown = self._shown, True
        if again and self.app.size.width >= self._least[0] and self.app.size.height >= self._least[1]:
            self.dismiss(None)

    def _tell(self) -> None:
        here = f"{self.app.size.width} x {self.app.size.height}"
        text = (
            f"This terminal is {here}.\noz-install needs {self._needed}.\n\n"
            "Make it larger to go on;\n^Q quits and keeps a draft."
        )
        self.query_one("#size", Static).update(Content(text))


def tell(app: App[Any], small: bool, needed: tuple[int, int]) -> None:
    """Stand before everything while it is small, and go away after."""
    told = app.screen.has_class("too-small")
    if told and not small:
        app.pop_screen()
    elif small and not told:
        app.push_screen(TooSmall(*needed))
