"""Base class of dialogs: a box in the middle; Escape cancels."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from oz_installer.tui.internals.chunked_screen import ChunkedScreen, copy_size_classes
from oz_installer.tui.widgets.button import FlatButton

T = TypeVar("T")


class Dialog(ModalScreen[T | None], ChunkedScreen[T | None]):
    """A box with a title. Returns None when it is cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "give_up"),
        ("f1", "app.help"),
        ("ctrl+q", "app.leave"),
        ("ctrl+c", "app.interrupt"),
        ("ctrl+t", "app.theme"),
    ]
    HEADING = ""

    def compose(self) -> ComposeResult:
        """Compose the box with its title, body and buttons."""
        self._take_size()
        with Vertical(classes="dialog"):
            yield Static(self.heading(), classes="dialog-title", markup=False)
            with VerticalScroll(classes="dialog-body", can_focus=False):
                yield from self.body()
            yield from self.foot()

    def _take_size(self) -> None:
        """Set the size classes before anything is styled, so that all is styled only once."""
        copy_size_classes(self, next(one for one in reversed(self.app.screen_stack) if one is not self))

    def heading(self) -> str:
        """Return the title."""
        return self.HEADING

    def body(self) -> ComposeResult:
        """Compose the content."""
        yield from ()

    def foot(self) -> ComposeResult:
        """Compose the buttons."""
        with Horizontal(classes="dialog-buttons"):
            yield FlatButton("Close", id="close", key="Esc")

    def buttons(self, label: str, id: str, *others: FlatButton, key: str = "") -> ComposeResult:
        """Buttons of a dialog that asks: others, the one that answers, Cancel."""
        with Horizontal(classes="dialog-buttons"):
            yield from others
            yield FlatButton(label, id=id, key=key, primary=True)
            yield FlatButton("Cancel", id="cancel", key="Esc")

    @on(FlatButton.Pressed, "#close, #cancel")
    def _close_pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_give_up()

    def action_give_up(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
