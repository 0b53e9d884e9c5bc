"""A long list of text rows that draws visible rows only; ``pick`` adds a cursor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from oz_installer.formatting.row import Row
from oz_installer.tui.internals.stable_components import StableComponents
from oz_installer.tui.views.styled_rows import LOOKS, MeasuredRows

MARK = "▶ "


class RowList(ScrollView, StableComponents, can_focus=True):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Rows that scroll. The cursor of ``pick`` is a sign, visible without colours."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("up", "by(-1)"),
        ("down", "by(1)"),
        ("pageup", "pages(-1)"),
        ("pagedown", "pages(1)"),
        ("home", "by(-999999)"),
        ("end", "by(999999)"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{look}" for look in LOOKS}
    ALLOW_SELECT = False

    @dataclass(eq=False)
    class Moved(Message):
        """The cursor moved to another row."""

        lines: RowList
        index: int

        @property
        def control(self) -> RowList:
            """The widget."""
            return self.lines

    def __init__(self, *, pick: bool = False, tail: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: tuple[Row, ...] = ()
        self.pick, self.tail = pick, tail
        self.cursor = 0
        self._followed = True

    def show(self, rows: Iterable[Row] | MeasuredRows, *, top: bool = False) -> None:
        """Show these rows; ``top`` scrolls to the first. ``tail`` follows a visible last row."""
        sheet = rows if isinstance(rows, MeasuredRows) else MeasuredRows.of(rows)
        fresh, width = sheet.rows, sheet.width
        if fresh == self.rows and not top:
            return
        self.rows = fresh
        self.virtual_size = Size(width + (len(MARK) if self.pick else 0), len(fresh))
        self.cursor = 0 if top else min(self.cursor, max(len(fresh) - 1, 0))
        if top:
            self.scroll_to(0, 0, animate=False)
        elif self.tail and self._followed:
            self._follow()
            self.call_after_refresh(self._follow)  # a scroll bar may have appeared and taken a row
        self.refresh()

    def _follow(self) -> None:
        if self.tail and self._followed:
            self.scroll_end(animate=False, immediate=True, force=True)  # the scroll bar may not exist yet

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end only while the operator is at the end."""
        super().watch_scroll_y(old_value, new_value)
        self._followed = round(new_value) >= self.max_scroll_y

    def on_resize(self) -> None:
        """Keep the visible rows in view when the window shrinks or a scroll bar appears."""
        self._follow()
        if self.pick:
            self._into_sight()

    def put_cursor(self, index: int) -> None:
        """Put the cursor on a row without posting ``Moved``."""
        self.cursor = min(max(index, 0), max(len(self.rows) - 1, 0))
        self._into_sight()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one visible row."""
        left, top = self.scroll_offset
        base, index, width = self.rich_style, top + y, self.size.width
        if index >= len(self.rows):
            return Strip.blank(width, base)
        text, look = self.rows[index]
        style = base + self._look(look)
        if self.pick:
            here = index == self.cursor
            text = (MARK if here else " " * len(MARK)) + text
            style = base + self._look("cursor") if here and self.has_focus else style
        strip = Strip([Segment(text, style)])
        seen = self.scrollable_content_region.width
        if self.styles.overflow_x == "hidden" and strip.cell_length > seen:
            return Strip([*strip.crop(0, seen - 1), Segment("…", style)]).extend_cell_length(width, style)
        return strip.crop_extend(left, left + width, style)

    def _look(self, look: str) -> Style:
        return self.get_component_rich_style(f"lines--{look}", partial=True) if look else Style.null()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return the number of rows; the stylesheet may limit it."""
        return len(self.rows)

    def on_focus(self) -> None:
        """Redraw the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Redraw the cursor."""
        self.refresh()

    def action_pages(self, by: int) -> None:
        """Move by pages."""
        self.action_by(by * max(self.size.height - 1, 1))

    def action_by(self, by: int) -> None:
        """Move the cursor; without one, scroll."""
        if self.pick:
            self._move(self.cursor + by)
        else:
            self.scroll_to(y=min(max(self.scroll_offset.y + by, 0), self.max_scroll_y), animate=False)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked row."""
        at = event.get_content_offset(self)
        if self.pick and at is not None and self.scroll_offset.y + at.y < len(self.rows):
            event.stop()
            self._move(self.scroll_offset.y + at.y)

    def _move(self, index: int) -> None:
        before = self.cursor
        self.put_cursor(index)
        if self.cursor != before:
            self.post_message(self.Moved(self, self.cursor))

    def _into_sight(self) -> None:
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)
