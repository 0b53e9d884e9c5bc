"""Scroll bars that do not shout: where Textual fills a whole row, a line at its foot is enough."""

from __future__ import annotations

from typing import Any

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

LINE = "▂"


class QuietBars(ScrollBarRender):
    """A row is twice as high as a column is wide, so a filled one would outshine all text."""

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
        """The vertical bar is Textual's; of the horizontal one a line shows which part is in sight."""
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
