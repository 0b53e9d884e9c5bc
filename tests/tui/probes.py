"""Private names of Textual and asyncio that tests and tools use, behind public names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest
from textual._compositor import Compositor, LayoutUpdate
from textual._styles_cache import StylesCache
from textual._wait import wait_for_idle as textual_wait_for_idle
from textual.app import App
from textual.driver import Driver
from textual.geometry import Region, Size
from textual.keys import _character_to_key as key_name
from textual.map_geometry import MapGeometry
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import DataTable
from textual.worker import Worker

from oz_installer.tui.internals.row_compositor import RowCompositor

if TYPE_CHECKING:
    from oz_installer.tui.internals.chunked_screen import ChunkedScreen

__all__ = ["Compositor", "StylesCache", "key_name", "textual_wait_for_idle"]


# --- what is drawn ------------------------------------------------------------------------------------
def strips_of(screen: Screen[Any]) -> list[Strip]:
    """The screen's rows."""
    return screen._compositor.render_strips()


def full_frame(app: App[Any]) -> LayoutUpdate:
    """The whole window, with what shines through from the screens below."""
    drawn = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(drawn, LayoutUpdate)
    return drawn


def places_of(screen: Screen[Any]) -> Mapping[Widget, MapGeometry]:
    """All widgets, out of sight too, and where they are."""
    return screen._compositor.full_map


def dirty_regions(compositor: Compositor) -> list[Region]:
    """What the next frame paints."""
    return list(compositor._dirty_regions)


# --- what is kept -------------------------------------------------------------------------------------
def has_lines(widget: Widget) -> bool:
    """Whether a widget keeps lines that it drew."""
    return bool(widget._styles_cache._cache)


def forget_lines(widgets: Iterable[Widget]) -> None:
    """Have widgets keep none of the lines that they drew."""
    for widget in widgets:
        widget._styles_cache.clear()


def forget_frame(screen: Screen[Any]) -> None:
    """Have a screen and its widgets keep nothing of what they drew."""
    assert isinstance(screen._compositor, RowCompositor)
    screen._compositor._given.clear()
    forget_lines(one for one in screen.walk_children(with_self=True) if isinstance(one, Widget))


# --- making it happen ---------------------------------------------------------------------------------
def lay_out(screen: Screen[Any]) -> None:
    """Lay a screen out now."""
    screen._refresh_layout()


def resize(screen: Screen[Any], size: Size) -> None:
    """Tell a screen its size, as the app does."""
    screen._screen_resized(size)


def draw(screen: Screen[Any]) -> None:
    """Draw a frame now, or as much of it as there is time for."""
    screen._compositor_refresh()


def draw_late(screen: ChunkedScreen[Any], since: float) -> None:
    """Draw a frame as if its piece had ended at that moment."""
    screen._until = since
    screen._compositor_refresh()


def change(widget: Widget) -> None:
    """Mark a widget as changed."""
    widget._set_dirty()
    widget.screen._dirty_widgets.add(widget)


# --- looking on ---------------------------------------------------------------------------------------
def on_frame(patch: pytest.MonkeyPatch, seen: Callable[[App[Any], Any], None]) -> None:
    """Call ``seen`` with the app and the update before a frame is shown."""
    show = App._display

    def display(self: App[Any], screen: Any, update: Any) -> None:
        seen(self, update)
        show(self, screen, update)

    patch.setattr(App, "_display", display)


def on_layout(patch: pytest.MonkeyPatch, seen: Callable[[Screen[Any]], None]) -> None:
    """Call ``seen`` before a screen is laid out."""
    refresh = Screen._refresh_layout

    def refresh_layout(self: Screen[Any], *args: Any, **more: Any) -> None:
        seen(self)
        refresh(self, *args, **more)

    patch.setattr(Screen, "_refresh_layout", refresh_layout)


def on_cell(patch: pytest.MonkeyPatch, seen: Callable[[int], None]) -> None:
    """Call ``seen`` with the row of a cell that a table looks for."""
    find = DataTable._render_cell

    def render_cell(self: DataTable[Any], row_index: int, *args: Any, **more: Any) -> Any:
        seen(row_index)
        return find(self, row_index, *args, **more)

    patch.setattr(DataTable, "_render_cell", render_cell)


def on_scroll_update(patch: pytest.MonkeyPatch, seen: Callable[[Widget], None]) -> None:
    """Call ``seen`` with a widget that works out its scrolling."""
    update = Widget._scroll_update

    def scroll_update(self: Widget, size: Size) -> None:
        seen(self)
        update(self, size)

    patch.setattr(Widget, "_scroll_update", scroll_update)


# --- the event loop -----------------------------------------------------------------------------------
def driver_of(app: App[Any]) -> Driver:
    """The app's driver."""
    return cast("Driver", app._driver)


def is_worker(task: asyncio.Task[Any]) -> bool:
    """Whether a task waits for a job in a thread."""
    return getattr(task.get_coro(), "cr_code", None) is Worker._run.__code__


def something_ready(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a callback waits for its turn."""
    return bool(cast("Any", loop)._ready)


def timers_of(loop: asyncio.AbstractEventLoop) -> list[asyncio.TimerHandle]:
    """What is to be called later."""
    return list(cast("Any", loop)._scheduled)


def lose_ticks(patch: pytest.MonkeyPatch) -> None:
    """Lose the tick of each of Textual's timers that fires once."""
    run = Timer._run

    async def lossy(timer: Timer) -> None:
        if timer._repeat != 0:
            await run(timer)

    patch.setattr(Timer, "_run", lossy)


async def run_timer(timer: Timer) -> None:
    """Run a timer to its end."""
    await timer._run()


Run = Callable[[Any], None]


def callback_runner() -> Run:
    """What runs a callback of any event loop, given its handle."""
    return asyncio.events.Handle._run


def run_callbacks_by(run: Run) -> None:
    """Have callbacks run by this from now on."""
    asyncio.events.Handle._run = run  # type: ignore[method-assign,assignment]


def task_of(handle: Any) -> asyncio.Task[Any] | None:
    """The task whose turn a callback is."""
    task = getattr(handle._callback, "__self__", None)
    return task if isinstance(task, asyncio.Task) else None
