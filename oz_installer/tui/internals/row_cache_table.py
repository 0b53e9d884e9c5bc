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
"""A place that no row has, nor the headings."""

Lines = list[list[Segment]]


class RowCacheTable(DataTable[T]):
    """Keeps the rows that it drew when the focus or the cursor moves."""

    _looks: object = None

    def notify_style_update(self) -> None:
        """Forget the rows only when they look different: Textual does whenever the focus comes or goes."""
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
        """Draw a row without the cursor the same wherever that is: Textual keeps it for one place only."""
        row = self._row_locations.get(row_key)
        if on("rows-apart"):
            cursor_location = cursor_location if cursor_location.row == row else ELSEWHERE
            hover_location = hover_location if hover_location.row == row else ELSEWHERE
        return super()._render_line_in_row(row_key, line_no, base_style, cursor_location, hover_location)
