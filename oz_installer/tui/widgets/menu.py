"""A menu: choose one item with the arrows and Enter, or by a click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.widget import Widget

from oz_installer.tui.internals.stable_components import StableComponents


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item: ``about`` below it, ``mark`` at its end, ``barred`` why it cannot be chosen."""

    id: str
    label: str
    about: str = ""
    mark: str = ""
    barred: str = ""


class Menu(StableComponents, can_focus=True):
    """Items, the highlighted one marked by an arrow."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("up", "move(-1)"),
        ("down", "move(1)"),
        ("home", "move(-999)"),
        ("end", "move(999)"),
        ("enter,space", "choose"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"menu--now", "menu--about", "menu--barred"}
    ALLOW_SELECT = False
    highlighted: Reactive[int] = reactive(0)

    @dataclass(eq=False)
    class Chosen(Message):
        """An item was chosen."""

        menu: Menu
        item: Item

        @property
        def control(self) -> Menu:
            """The menu."""
            return self.menu

    def __init__(self, items: Sequence[Item] = (), *, id: str | None = None, highlighted: int = 0) -> None:
        super().__init__(id=id)
        self.items = tuple(items)
        self.set_reactive(Menu.highlighted, highlighted)

    def show(self, items: Sequence[Item]) -> None:
        """Show other items; the highlight stays on the same item if it is still there."""
        before = self.items[self.highlighted].id if self.items else ""
        self.items = tuple(items)
        ids = [item.id for item in self.items]
        self.highlighted = ids.index(before) if before in ids else 0
        self.refresh(layout=True)

    def render(self) -> Content:
        """Draw each item with its description."""
        return Content("\n").join(
            line for index, item in enumerate(self.items) for line in self._lines(index, item)
        )

    def _lines(self, index: int, item: Item) -> list[Content]:
        now = index == self.highlighted
        look = self.get_visual_style("menu--now") if now and self.has_focus else ""
        dim = self.get_visual_style("menu--barred" if item.barred else "menu--about")
        arrow = "▶ " if now else "  "
        room = self.size.width - 2
        label = item.label[: room - len(item.mark) - 1]
        first = Content.assemble(
            (f"{arrow}{label}".ljust(self.size.width - len(item.mark)), dim if item.barred else look),
            (item.mark, look),
        )
        about = item.barred or item.about
        lines = [first, *(Content.styled(f"  {line}", dim) for line in wrapped(about, self.size.width))]
        return [*lines, Content("")] if self._spaced and index + 1 < len(self.items) else lines

    @property
    def _spaced(self) -> bool:
        """True when items have descriptions and so an empty row between them."""
        return any(item.about for item in self.items)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return one row per item plus the rows of its description."""
        between = max(len(self.items) - 1, 0) if self._spaced else 0
        return between + sum(1 + len(wrapped(item.barred or item.about, width)) for item in self.items)

    def on_resize(self) -> None:
        """Wrap the texts again."""
        self.refresh(layout=True)

    def watch_highlighted(self) -> None:
        """Keep the highlighted item in view."""
        if self.is_mounted and self.items:
            top = self._row(self.highlighted)
            height = len(self._lines(self.highlighted, self.items[self.highlighted]))
            region = Region(0, top, self.size.width, height).translate(self.virtual_region.offset)
            if isinstance(self.parent, Widget):
                self.parent.scroll_to_region(region, animate=False)

    def _row(self, index: int) -> int:
        return sum(len(self._lines(number, item)) for number, item in enumerate(self.items[:index]))

    def action_move(self, by: int) -> None:
        """Highlight another item."""
        self.highlighted = min(max(self.highlighted + by, 0), max(len(self.items) - 1, 0))

    def action_choose(self) -> None:
        """Choose the highlighted item."""
        if self.items and not self.items[self.highlighted].barred:
            self.post_message(self.Chosen(self, self.items[self.highlighted]))

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked item."""
        event.stop()
        for index in range(len(self.items)):
            if self._row(index) <= event.y < self._row(index + 1):
                self.highlighted = index
                self.action_choose()


def wrapped(text: str, width: int) -> list[str]:
    """Wrap a text that is indented by two columns."""
    return wrap(text, max(width - 2, 10)) if text else []
