"""Puts a screen together from what its widgets draw."""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip


class RowCompositor(Compositor):
    """Asks only the widgets in the rows that are painted anew. Textual's own asks all that are scrolled
    together with them: sixty for one letter."""

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """What the widgets draw."""
        if not crop:
            return super()._get_renders(crop)
        visible = self.visible_widgets
        self._visible_widgets = {
            widget: (region, clip)
            for widget, (region, clip) in visible.items()
            if region.y < crop.bottom and region.bottom > crop.y
        }
        try:
            return list(super()._get_renders(crop))
        finally:
            self._visible_widgets = visible
