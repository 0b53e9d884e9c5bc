"""Screens that are shown in short pieces of work, between which the event loop goes on."""

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
"""Classes that tell a screen's size; see ``WizardApp``."""

PIECE = 0.008
"""Seconds after which a piece of work is long enough."""

ROWS = 8
"""A tall widget draws so many rows in a piece."""

AHEAD = 0.002
"""Seconds of drawing what nobody sees yet, before a key gets its turn."""


class ChunkedScreen(Screen[T]):
    """Textual handles the events that wait for a screen without a pause; each time it is shown it styles all
    of it, and draws all of it, in one go: 85 and 40 ms for the largest."""

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
        """Handle it; after a long one others come before the next."""
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
        """Lay it out for another size; the one that it was shown in it hears once more, too."""
        if size != self._size or not on("same-size"):
            super()._screen_resized(size)

    def scroll_to_center(self, widget: Widget, *args: Any, **kwargs: Any) -> None:
        """Bring what the cursor moved to into sight, in the frame that shows the cursor; Textual draws one
        without it first."""
        if on("scroll-at-once"):
            kwargs |= {"animate": False, "immediate": not self._layout_required}
        super().scroll_to_center(widget, *args, **kwargs)

    async def restyle(self) -> None:
        """Give every widget the colours of another theme; they are seen when all have them."""
        self._theme = self.app.theme
        nodes = iter(list(self.walk_children(with_self=True)))
        with self.app.batch_update():
            for first in nodes:
                self.app.stylesheet.update_nodes(chain([first], _in_a_piece(nodes)))
                await asyncio.sleep(0)
        self.app.screen.refresh()  # a frame of a dialog over it may have been lost meanwhile

    def _on_timer_update(self) -> None:
        """What is laid out and painted anew is drawn once; Textual draws all of it twice."""
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
        """Put the screen together from what its widgets drew: those that have drawn nothing yet come first.
        What there is no time for, behind a long layout, too, waits for the next piece."""
        if self.is_current and on("pieces"):
            if self._undrawn is None:
                self._undrawn = iter(list(self._cold()))
            until, self._until = self._until or time.monotonic() + PIECE, 0.0
            all_drawn = _draw(self._undrawn, until)
            late = not all_drawn or time.monotonic() > until + PIECE
            if late and self.app._dom_ready:  # not the first frame
                self.call_later(self._go_on_drawing)
                return
        self._undrawn = None
        self._compositor.update_widgets(self._dirty_widgets)  # what has changed since the first piece
        super()._compositor_refresh()
        if self._ahead is None and self is self.app.screen and on("draw-ahead"):
            self._ahead = self._out_of_sight()
            self.call_later(self._draw_ahead)

    async def _go_on_drawing(self) -> None:
        await asyncio.sleep(0)
        self._compositor_refresh()

    async def _draw_ahead(self) -> None:
        """Draw what is out of sight, in short pieces, so that it is ready when the cursor goes there."""
        await asyncio.sleep(0)
        if _draw(self._ahead or iter(()), time.monotonic() + AHEAD) or self is not self.app.screen:
            self._ahead = None
        else:
            self.call_later(self._draw_ahead)

    def _out_of_sight(self) -> Iterator[tuple[Widget, Region]]:
        """What has drawn no line yet and would be seen a page further up or down, and which part of it."""
        width, page = self.size
        near = Region(0, -page, width, 3 * page)
        return self._undrawn_of(
            (widget, one.region, near) for widget, one in self._compositor.full_map.items()
        )

    def _cold(self) -> Iterator[tuple[Widget, Region]]:
        """What is to be seen and has drawn no line since it was styled or changed, and which part of it."""
        visible = self._compositor.visible_widgets.items()
        return self._undrawn_of((widget, region, clip) for widget, (region, clip) in visible)

    def _undrawn_of(self, places: Iterable[tuple[Widget, Region, Region]]) -> Iterator[tuple[Widget, Region]]:
        """Widgets that have drawn no line yet, with what of their places lies in a window."""
        for widget, place, window in list(places):
            if (
                not widget._styles_cache._cache
                and widget is not self
                and (seen := place.intersection(window))
            ):
                yield from ((widget, part) for part in _slices(seen.translate(-place.offset)))


def _draw(parts: Iterator[tuple[Widget, Region]], until: float) -> bool:
    """Have widgets draw parts of themselves, as many as there is time for. Whether that was all."""
    for widget, part in parts:
        if widget.is_attached:
            widget.render_lines(part)
        if time.monotonic() > until:
            return False
    return True


def _slices(part: Region) -> Iterator[Region]:
    """A few rows after the other: a table draws each by itself."""
    for y in range(part.y, part.bottom, ROWS):
        yield Region(part.x, y, part.width, min(ROWS, part.bottom - y))


def apply_theme(app: App[Any], *, animate: bool) -> None:
    """Read the stylesheet with the theme's colours; the screens follow soon."""
    app.stylesheet.set_variables(app.get_css_variables())
    app.stylesheet.reparse()
    app.stylesheet.update_nodes([app], animate=animate)
    for screen in app.screen_stack:
        if isinstance(screen, ChunkedScreen):
            screen.call_later(screen.restyle)
        else:
            app.stylesheet.update(screen, animate=animate)


def _in_a_piece(nodes: Iterator[DOMNode]) -> Iterator[DOMNode]:
    """As many of them as there is time for."""
    until = time.monotonic() + PIECE
    for node in nodes:
        yield node
        if time.monotonic() > until:
            return


def copy_size_classes(screen: Screen[Any], other: Screen[Any]) -> None:
    """A screen that is about to be shown has the size's classes from the start, and is styled once."""
    for name in SIZES:
        screen.set_class(other.has_class(name), name)
