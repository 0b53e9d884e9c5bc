"""Screens that style and draw themselves in short pieces, to keep the event loop running."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, TypeVar

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from oz_installer.tui.internals.row_compositor import RowCompositor
from oz_installer.tui.internals.switches import on

T = TypeVar("T")

LONG = (events.ScreenResume, events.Resize, events.Compose)
SIZES = ("-narrow", "-wide", "-short", "-tall")
"""Classes for the size of a screen; see ``WizardApp``."""

PIECE = 0.008
"""Seconds that a piece of work may take."""

ROWS = 8
"""Rows of a tall widget that are drawn in one piece."""

AHEAD = 0.002
"""Seconds that drawing ahead may delay a key."""


class ChunkedScreen(Screen[T]):
    """A screen that lets other events in between its pieces of work.

    Textual handles the waiting events of a screen without a pause, and styles and draws all of it each
    time it is shown: 85 and 40 ms for the largest.
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=not on("quiet-focus"))
    """The widget with the cursor. Textual repaints the whole screen whenever it changes."""

    _theme = ""
    _breathed = 0.0
    _until = 0.0  # when the piece ends that a layout began; 0: none did
    _undrawn: Iterator[tuple[Widget, Region]] | None = None
    _ahead: Iterator[tuple[Widget, Region]] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if on("row-compositor"):
            self._compositor = RowCompositor()

    async def on_event(self, event: events.Event) -> None:
        """Handle an event; after a long one let the event loop run."""
        if isinstance(event, events.ScreenResume) and on("styled-once"):
            event.refresh_styles = False
            if self._theme not in ("", self.app.theme):  # at first it is styled already
                await self.restyle()
            self._theme = self.app.theme
        await super().on_event(event)
        if on("pieces") and (isinstance(event, LONG) or time.monotonic() - self._breathed > PIECE):
            await asyncio.sleep(0)
            self._breathed = time.monotonic()

    def _screen_resized(self, size: Size) -> None:
        """Lay out the screen only for a different size; Textual repeats the current one."""
        if size != self._size or not on("same-size"):
            super()._screen_resized(size)

    def scroll_to_center(self, widget: Widget, *args: Any, **kwargs: Any) -> None:
        """Scroll in the same frame that moves the focus; Textual draws one frame in between."""
        if on("scroll-at-once"):
            kwargs |= {"animate": False, "immediate": not self._layout_required}
        super().scroll_to_center(widget, *args, **kwargs)

    async def restyle(self) -> None:
        """Apply another theme to every widget, then show them all together."""
        self._theme = self.app.theme
        nodes = iter(list(self.walk_children(with_self=True)))
        with self.app.batch_update():
            for first in nodes:
                self.app.stylesheet.update_nodes(chain([first], _in_a_piece(nodes)))
                await asyncio.sleep(0)
        self.app.screen.refresh()  # the frame of a dialog on top may have been lost

    def _on_timer_update(self) -> None:
        """Draw once after a layout and a repaint; Textual draws twice."""
        laid_out = self._layout_required or self._scroll_required
        if self._repaint_required and laid_out and on("one-frame"):
            self._repaint_required = False
            self._dirty_widgets.add(self)
        super()._on_timer_update()

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        self._undrawn = None
        self._until = time.monotonic() + 2 * PIECE
        super()._refresh_layout(size, scroll)

    def _compositor_refresh(self) -> None:
        """Draw the widgets without cached lines in pieces, then compose the screen.

        Work beyond the time of a piece, also after a long layout, waits for the next piece.
        """
        if self.is_current and on("pieces"):
            if self._undrawn is None:
                self._undrawn = iter(list(self._cold()))
            until, self._until = self._until or time.monotonic() + PIECE, 0.0
            all_drawn = _draw(self._undrawn, until)
            late = not all_drawn or time.monotonic() > until + PIECE
            if late and self.app._dom_ready:  # not the first frame
                self.call_later(self._continue_drawing)
                return
        self._undrawn = None
        self._compositor.update_widgets(self._dirty_widgets)  # what has changed since the first piece
        super()._compositor_refresh()
        if self._ahead is None and self is self.app.screen and on("draw-ahead"):
            self._ahead = self._out_of_sight()
            self.call_later(self._draw_ahead)

    async def _continue_drawing(self) -> None:
        await asyncio.sleep(0)
        if self._scroll_required and not self._layout_required:  # the cursor has moved on meanwhile
            self._scroll_required = False
            self._refresh_layout(scroll=True)
        else:
            self._compositor_refresh()

    async def _draw_ahead(self) -> None:
        """Draw invisible widgets in short pieces, so that they are ready when the focus gets there."""
        await asyncio.sleep(0)
        if _draw(self._ahead or iter(()), time.monotonic() + AHEAD) or self is not self.app.screen:
            self._ahead = None
        else:
            self.call_later(self._draw_ahead)

    def _out_of_sight(self) -> Iterator[tuple[Widget, Region]]:
        """Return undrawn widgets within a page above or below, with the visible part of each."""
        width, page = self.size
        near = Region(0, -page, width, 3 * page)
        return self._undrawn_of(
            (widget, one.region, near) for widget, one in self._compositor.full_map.items()
        )

    def _cold(self) -> Iterator[tuple[Widget, Region]]:
        """Return visible widgets without cached lines, with the visible part of each."""
        visible = self._compositor.visible_widgets.items()
        return self._undrawn_of((widget, region, clip) for widget, (region, clip) in visible)

    def _undrawn_of(
        self, regions: Iterable[tuple[Widget, Region, Region]]
    ) -> Iterator[tuple[Widget, Region]]:
        """Yield widgets without cached lines, with the part of each that lies in its window."""
        for widget, region, window in list(regions):
            if (
                not widget._styles_cache._cache
                and widget is not self
                and (seen := region.intersection(window))
            ):
                yield from ((widget, part) for part in _slices(seen.translate(-region.offset)))


def _draw(parts: Iterator[tuple[Widget, Region]], until: float) -> bool:
    """Draw parts of widgets until the time is up; return whether all were drawn."""
    for widget, part in parts:
        if widget.is_attached:
            widget.render_lines(part)
        if time.monotonic() > until:
            return False
    return True


def _slices(part: Region) -> Iterator[Region]:
    """Split a part into slices of a few rows: a table draws each row separately."""
    for y in range(part.y, part.bottom, ROWS):
        yield Region(part.x, y, part.width, min(ROWS, part.bottom - y))


def apply_theme(app: App[Any], *, animate: bool) -> None:
    """Read the stylesheet with the theme's colours; the screens restyle themselves later."""
    app.stylesheet.set_variables(app.get_css_variables())
    app.stylesheet.reparse()
    app.stylesheet.update_nodes([app], animate=animate)
    for screen in app.screen_stack:
        if isinstance(screen, ChunkedScreen):
            screen.call_later(screen.restyle)
        else:
            app.stylesheet.update(screen, animate=animate)


def _in_a_piece(nodes: Iterator[DOMNode]) -> Iterator[DOMNode]:
    """Yield nodes until the time of a piece is up."""
    until = time.monotonic() + PIECE
    for node in nodes:
        yield node
        if time.monotonic() > until:
            return


def copy_size_classes(screen: Screen[Any], other: Screen[Any]) -> None:
    """Copy the size classes to a screen before it is shown, so that it is styled only once."""
    for name in SIZES:
        screen.set_class(other.has_class(name), name)
