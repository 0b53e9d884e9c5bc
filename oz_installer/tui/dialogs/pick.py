"""Dialogs to mark several items of a list or to choose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.menu import Item, Menu


class PickSome(Dialog[tuple[str, ...]]):
    """Dialog that returns the ids of the marked items, in the order of the list."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+n", "take"), ("a", "all")]
    AUTO_FOCUS = "Menu"

    def __init__(self, heading: str, items: Sequence[Item], *, take: str, hint: str = "") -> None:
        super().__init__(classes="broad full")
        self._title, self._items, self._take, self._hint = heading, tuple(items), take, hint
        self._marked: set[str] = set()

    def heading(self) -> str:
        """Return the title."""
        return self._title

    def body(self) -> ComposeResult:
        """Compose the items with check boxes."""
        if self._hint:
            yield Static(self._hint, classes="help-part", markup=False)
        yield Menu(self._boxed())

    def foot(self) -> ComposeResult:
        """Compose the buttons."""
        yield from self.buttons(self._take, "take", FlatButton("Mark all", id="all", key="a"), key="^N")

    def _boxed(self) -> list[Item]:
        return [
            item
            if item.barred
            else replace(item, label=f"[{'x' if item.id in self._marked else ' '}] {item.label}")
            for item in self._items
        ]

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        event.stop()
        self._marked ^= {event.item.id}
        self.query_one(Menu).show(self._boxed())

    @on(FlatButton.Pressed, "#take, #all")
    def _pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        if event.push.id == "take":
            self.action_take()
        else:
            self.action_all()

    def action_all(self) -> None:
        """Mark all items, or none when all are marked."""
        every = {item.id for item in self._items if not item.barred}
        self._marked = set() if self._marked == every else every
        self.query_one(Menu).show(self._boxed())

    def action_take(self) -> None:
        """Return the marked items."""
        self.dismiss(tuple(item.id for item in self._items if item.id in self._marked))


class PickOne(Dialog[str]):
    """Dialog that returns the id of the chosen item."""

    AUTO_FOCUS = "Menu"

    def __init__(self, heading: str, items: Sequence[Item]) -> None:
        super().__init__(classes="broad full")
        self._title, self._items = heading, tuple(items)

    def heading(self) -> str:
        """Return the title."""
        return self._title

    def body(self) -> ComposeResult:
        """Compose the items."""
        yield Menu(self._items)

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        event.stop()
        self.dismiss(event.item.id)
