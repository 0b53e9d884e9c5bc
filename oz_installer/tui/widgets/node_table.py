"""The table of nodes: one row per node, the same columns at every width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from oz_installer.tui.internals.row_cache_table import RowCacheTable

HEADINGS = ("#", "Name", "Host", "Roles", "Login", "Test")
SHARES = (0, 24, 32, 0, 22, 22)
"""Percentage of the free width for each column without a fixed width."""

NUMBER, ROLES = 2, 9
GIVEN = {0: NUMBER, 3: ROLES}
Cells = tuple[tuple[str, str], ...]
"""Text and colour of each cell."""


class NodeTable(RowCacheTable[Content]):
    """A table that replaces and draws only changed cells, so that fifty rows stay fast."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("a,insert", "screen.add_node"),
        ("e", "screen.edit_node"),
        ("d", "screen.copy_node"),
        ("delete,x", "screen.remove_node"),
        ("shift+up,left_square_bracket", "screen.move_node(-1)"),
        ("shift+down,right_square_bracket", "screen.move_node(1)"),
        ("t", "screen.try_node"),
        ("k", "screen.accept_key"),
        ("i", "screen.import_nodes"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._rows_shown: list[Cells] = []
        self._widths: tuple[int, ...] = ()

    def show(self, rows: Sequence[Cells]) -> None:
        """Show these rows; the cursor keeps its position."""
        widths = self._wanted_widths()
        if widths != self._widths or len(rows) != len(self._rows_shown):
            self._fill(rows, widths)
            return
        for index, (old, new) in enumerate(zip(self._rows_shown, rows, strict=True)):
            for column, (before, now) in enumerate(zip(old, new, strict=True)):
                if before != now:
                    self.update_cell_at((index, column), self._cell(now, widths[column]))  # type: ignore[arg-type]
        self._rows_shown = list(rows)

    def _fill(self, rows: Sequence[Cells], widths: tuple[int, ...]) -> None:
        index = self.cursor_row
        self.clear(columns=widths != self._widths)
        if not self.columns:
            for heading, width in zip(HEADINGS, widths, strict=True):
                self.add_column(heading, width=width)
        for row in rows:
            self.add_row(*(self._cell(cell, width) for cell, width in zip(row, widths, strict=True)))
        self._rows_shown, self._widths = list(rows), widths
        self.move_cursor(row=min(index, len(rows) - 1))

    def _wanted_widths(self) -> tuple[int, ...]:
        room = max(self.size.width, 54) - 2 * len(HEADINGS) - 1 - sum(GIVEN.values())
        return tuple(GIVEN.get(index, room * share // 100) for index, share in enumerate(SHARES))

    @staticmethod
    def _cell(cell: tuple[str, str], width: int) -> Content:
        text, look = cell
        short = text if len(text) <= width else f"{text[: width - 1]}…"
        return Content.styled(short, look) if look else Content(short)

    def action_page_down(self) -> None:
        """Scroll a page down; at the last row scroll what is below the table."""
        if self.cursor_row + 1 < self.row_count and self.max_scroll_y:
            super().action_page_down()
        else:
            self._page.scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll a page up; first back to the table."""
        if self._page.scroll_y:
            self._page.scroll_page_up(animate=False)
        else:
            super().action_page_up()

    @property
    def _page(self) -> Widget:
        return next(one for one in self.ancestors if isinstance(one, VerticalScroll))

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual's
        """Share the new width among the columns."""
        if self._widths and self._wanted_widths() != self._widths:
            self._fill(self._rows_shown, self._wanted_widths())
