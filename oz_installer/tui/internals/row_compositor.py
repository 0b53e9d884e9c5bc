"""A compositor that redraws only changed widgets in the painted rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class _Given(NamedTuple):
    """Lines that a widget returned, and the cached lines from which it made them."""

    part: Region
    kept: list[Strip | None]
    lines: list[Strip]


class RowCompositor(Compositor):
    """Asks only changed widgets in the painted rows for their lines.

    Textual's own asks all widgets in the scrolled container, sixty for one letter, and each of them blends
    its background colours before it looks into its cache.
    """

    def __init__(self) -> None:
        super().__init__()
        self._given: WeakKeyDictionary[Widget, _Given] = WeakKeyDictionary()

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Yield region, clip and lines of each widget in the painted rows."""
        rows = crop or self.size.region
        for widget, (region, clip) in self.visible_widgets.items():
            if region.y < rows.bottom and region.bottom > rows.y and clip.overlaps(rows):
                seen = region.intersection(clip)
                if seen:
                    yield region, clip, self._lines(widget, seen.translate(-region.offset))

    def _lines(self, widget: Widget, part: Region) -> list[Strip]:
        """Return a widget's lines for this part, from the cache if possible."""
        if type(widget).render_lines is not Widget.render_lines:  # it does more than draw
            return widget.render_lines(part)
        given = self._given.get(widget)
        if given is not None and given.part == part and all(map(_same, given.kept, _kept(widget, part))):
            return given.lines
        lines = widget.render_lines(part)
        self._given[widget] = _Given(part, _kept(widget, part), lines)
        return lines


def _kept(widget: Widget, part: Region) -> list[Strip | None]:
    """Return the widget's cached lines; None for lines that must be drawn again."""
    cache = widget._styles_cache
    dirty = cache._dirty_lines
    return [None if y in dirty else cache._cache.get(y) for y in part.line_range]


def _same(one: Strip | None, other: Strip | None) -> bool:
    return one is other is not None
