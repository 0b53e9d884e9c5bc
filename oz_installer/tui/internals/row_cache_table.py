"""A table that draws only the rows that have changed."""

from __future__ import annotations

from typing import TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.coordinate import Coordinate
from textual.widget import Widget
from textual.widgets import DataTable
from textual.widgets.data_table import RowKey

from oz_installer.tui.internals.switches import on

T = TypeVar("T")

ELSEWHERE = Coordinate(-2, -2)
"""A coordinate outside of all rows and headings."""

Lines = list[list[Segment]]


class RowCacheTable(DataTable[T]):
    """A table that keeps its drawn rows when the focus or the cursor moves."""

    _looks: object = None

    def notify_style_update(self) -> None:
        """Drop the drawn rows only when their style changes; Textual does on every focus change."""
        looks = self.app.theme, self.screen.classes
        if looks != self._looks or not on("row-looks"):
            self._looks = looks
            super().notify_style_update()
            return
        Widget.notify_style_update(self)
        self._styles_cache.clear()
        self._get_styles_to_render_cell.cache_clear()
        self.refresh()

    def _render_line_in_row(
        self,
        row_key: RowKey,
        line_no: int,
        base_style: Style,
        cursor_location: Coordinate,
        hover_location: Coordinate,
    ) -> tuple[Lines, Lines]:
        """Draw rows without the cursor independently of it: Textual caches them per cursor position."""
        row = self._row_locations.get(row_key)
        if on("rows-apart"):
            cursor_location = cursor_location if cursor_location.row == row else ELSEWHERE
            hover_location = hover_location if hover_location.row == row else ELSEWHERE
        return super()._render_line_in_row(row_key, line_no, base_style, cursor_location, hover_location)
