"""Thin scroll bars: a horizontal one is a line at the foot of its row, not a filled row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip
from textual.visual import RenderOptions, Visual

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.style import Style as Base

LINE = "▂"


class ThinScrollBars(ScrollBarRender, Visual):
    """A scroll bar that draws its own lines: Rich took longer for a bar than for all text.

    A row is twice as high as a column is wide, so that a filled row would dominate the text.
    """

    def render_strips(
        self,
        width: int,
        height: int | None,
        style: Base,
        options: RenderOptions,  # noqa: ARG002
    ) -> list[Strip]:
        """Draw one line per row."""
        assert isinstance(self.style, Style)  # noqa: S101 - a ScrollBar's
        rows, back, bar = height or 1, self.style.bgcolor, self.style.color
        assert back is not None  # noqa: S101 - a ScrollBar sets both
        assert bar is not None  # noqa: S101
        long, thick = (rows, width) if self.vertical else (width, rows)
        sizes = long, self.virtual_size, self.window_size, self.position, thick
        parts = self.render_bar(*sizes, self.vertical, back, bar).segments
        lines = [Strip([part], width) for part in parts] if self.vertical else [Strip(parts, width)] * rows
        return [line.apply_style(style.rich_style) for line in lines]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002 - Textual's own
        """Return the size from the style."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:  # noqa: ARG002 - Textual's own signature
        """Return the size from the style."""
        return self.thickness

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = Color.parse("#555555"),  # noqa: B008 - Textual's own signature
        bar_color: Color = Color.parse("bright_magenta"),  # noqa: B008
    ) -> Segments:
        """Draw Textual's vertical bar, or a line for the visible part of a horizontal one."""
        if vertical:
            return super().render_bar(
                size, virtual_size, window_size, position, thickness, vertical, back_color, bar_color
            )
        hidden = virtual_size - window_size
        long = max(round(size * window_size / virtual_size), 1) if window_size and hidden > 0 else 0
        start = round((size - long) * position / hidden) if long else 0
        parts: tuple[tuple[str, Any], ...] = (
            (" " * start, "scroll_up"),
            (LINE * long, "grab"),
            (" " * (size - start - long), "scroll_down"),
        )
        return Segments(
            Segment(text, Style(color=bar_color, bgcolor=back_color, meta={"@mouse.down": does}))
            for text, does in parts
            if text
        )
