"""What all dialogs share: a box in the middle, Escape gives up."""

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
    """A box with a title. Dismissed with None when it is given up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "give_up"),
        ("f1", "app.help"),
        ("ctrl+q", "app.leave"),
        ("ctrl+c", "app.interrupt"),
        ("ctrl+t", "app.theme"),
    ]
    HEADING = ""

    def compose(self) -> ComposeResult:
        """The box, its title, what is asked, and the buttons."""
        self._take_size()
        with Vertical(classes="dialog"):
            yield Static(self.heading(), classes="dialog-title", markup=False)
            with VerticalScroll(classes="dialog-body", can_focus=False):
                yield from self.body()
            yield from self.foot()

    def _take_size(self) -> None:
        """Have the classes of the window's size before anything is styled, so that all is styled once."""
        copy_size_classes(self, next(one for one in reversed(self.app.screen_stack) if one is not self))

    def heading(self) -> str:
        """The title."""
        return self.HEADING

    def body(self) -> ComposeResult:
        """What is asked or told."""
        yield from ()

    def foot(self) -> ComposeResult:
        """Buttons."""
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
        """Go away without an answer."""
        self.dismiss(None)
