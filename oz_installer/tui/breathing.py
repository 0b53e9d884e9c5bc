"""Screens that are shown in short pieces of work, between which the event loop goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from textual import events
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.message_pump import MessagePump
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from oz_installer.tui.compositing import RowCompositor

if TYPE_CHECKING:
    from textual.app import App

    _Screen = Screen[Any]
else:
    _Screen = MessagePump  # mixed in: the styles of the screen's own class stay first

LONG = (events.ScreenResume, events.Resize, events.Compose)
SIZES = ("-narrow", "-wide", "-short", "-tall")
"""Classes that tell a screen's size; see ``WizardApp``."""

PIECE = 0.008
"""Seconds after which a piece of work is long enough."""


class Breathing(_Screen):
    """Textual handles the events that wait for a screen without a pause; each time it is shown it styles all
    of it, and draws all of it, in one go: 85 and 40 ms for the largest."""

    focused = Reactive(None, repaint=False)  # Textual: the whole screen, at every Tab
    _theme = ""
    _breathed = 0.0
    _undrawn: Iterator[tuple[Widget, Region]] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._compositor = RowCompositor()

    async def on_event(self, event: events.Event) -> None:
        """Handle it; after a long one others come before the next."""
        if isinstance(event, events.ScreenResume):
            event.refresh_styles = False
            if self._theme not in ("", self.app.theme):  # at first it is styled already
                await self.restyle()
            self._theme = self.app.theme
        await super().on_event(event)
        if isinstance(event, LONG) or time.monotonic() - self._breathed > PIECE:
            await asyncio.sleep(0)
            self._breathed = time.monotonic()

    def _screen_resized(self, size: Size) -> None:
        """Lay it out for another size; the one that it was shown in it hears once more, too."""
        if size != self._size:
            super()._screen_resized(size)

    async def restyle(self) -> None:
        """Give every widget the colours of another theme; they are seen when all have them."""
        self._theme = self.app.theme
        nodes = iter(list(self.walk_children(with_self=True)))
        with self.app.batch_update():
            for first in nodes:
                self.app.stylesheet.update_nodes(chain([first], _in_a_piece(nodes)))
                await asyncio.sleep(0)

    def _compositor_refresh(self) -> None:
        """Put the screen together from what its widgets drew: those that have drawn nothing yet come first,
        and wait for the next piece when there are too many."""
        if self.is_current:
            if self._undrawn is None:
                self._undrawn = iter(list(self._cold()))
            until = time.monotonic() + PIECE
            for widget, seen in self._undrawn:
                widget.render_lines(seen)
                if time.monotonic() > until and self.app._dom_ready:  # not the first frame
                    self.call_later(self._go_on_drawing)
                    return
        self._undrawn = None
        super()._compositor_refresh()

    async def _go_on_drawing(self) -> None:
        await asyncio.sleep(0)
        self._compositor_refresh()

    def _cold(self) -> Iterator[tuple[Widget, Region]]:
        """What is to be seen and has drawn no line since it was styled or changed, and which part of it."""
        for widget, (region, clip) in self._compositor.visible_widgets.items():
            if not widget._styles_cache._cache and widget is not self and (seen := region.intersection(clip)):
                yield widget, seen.translate(-region.offset)


def recolour(app: App[Any], *, animate: bool) -> None:
    """Read the stylesheet with the theme's colours; the screens follow soon."""
    app.stylesheet.set_variables(app.get_css_variables())
    app.stylesheet.reparse()
    app.stylesheet.update_nodes([app], animate=animate)
    for screen in app.screen_stack:
        if isinstance(screen, Breathing):
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


def sized_as(screen: Screen[Any], other: Screen[Any]) -> None:
    """A screen that is about to be shown has the size's classes from the start, and is styled once."""
    for name in SIZES:
        screen.set_class(other.has_class(name), name)
