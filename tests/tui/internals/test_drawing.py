"""Drawing: nothing twice, nothing unchanged, and nothing that delays a key."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.app import App
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.geometry import Region
from textual.style import Style
from textual.visual import RenderOptions
from textual.widget import Widget
from textual.widgets import DataTable

from oz_installer.tui.app import WizardApp
from oz_installer.tui.internals.chunked_screen import PIECE, ROWS, ChunkedScreen
from oz_installer.tui.internals.scrollbars import ThinScrollBars
from oz_installer.tui.widgets.choice import Choice
from oz_installer.tui.widgets.node_table import NodeTable
from oz_installer.tui.widgets.text_input import TextInput
from tests.tui.fifty import FiftyCore
from tests.tui.painted import watched
from tests.tui.probes import (
    Compositor,
    StylesCache,
    change,
    draw,
    draw_late,
    forget_frame,
    forget_lines,
    has_lines,
    lay_out,
    on_cell,
    on_frame,
    on_scroll_update,
    places_of,
    strips_of,
)
from tests.tui.support import Driver, app_of, press, settle, until, wizard

TCSS = Path(sys.modules[WizardApp.__module__].__file__ or "").with_name("app.tcss")


def breathing(pilot: Driver) -> ChunkedScreen[Any]:
    """The screen that is open."""
    screen = pilot.app.screen
    assert isinstance(screen, ChunkedScreen)
    return screen


@pytest.fixture
def drew(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often each kind of widget rendered its lines."""
    count: Counter[str] = Counter()
    draw = StylesCache.render_widget

    def render_widget(self: StylesCache, widget: Widget, crop: Region) -> Any:
        count[type(widget).__name__] += 1
        return draw(self, widget, crop)

    monkeypatch.setattr(StylesCache, "render_widget", render_widget)
    return count


async def test_where_the_cursor_goes_is_in_sight_in_its_first_frame(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[tuple[Widget, bool]] = []

    def seen(app: App[Any], update: Any) -> None:
        focused = app.screen.focused
        if update is not None and focused is not None:
            frames.append((focused, app.screen.can_view_entire(focused)))

    async with wizard(FiftyCore(), path=fifty_path, step="access", size=(80, 24)) as pilot:
        began = pilot.app.focused
        on_frame(monkeypatch, seen)
        await press(pilot, "tab")
        while pilot.app.focused is not began:
            await press(pilot, "tab")
        shown = {widget for widget, _ in frames}
        assert len(shown) > 10
        late = [widget for widget, in_sight in frames if not in_sight]
        assert not late


async def test_a_tab_asks_only_what_has_changed(fifty_path: Path, drew: Counter[str]) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="access") as pilot:
        await press(pilot, "tab", "tab", "tab", "shift+tab")
        drew.clear()
        await press(pilot, "tab")
        assert drew["TextInput"] + drew["Choice"] >= 2, "one has the cursor now, and one has not"
        assert drew.total() < 16, drew


async def test_what_has_changed_is_drawn_again(fifty_path: Path) -> None:
    """A frame drawn with caches equals one drawn without."""
    async with wizard(FiftyCore(), path=fifty_path, step="access") as pilot:
        for keys in (("tab",), ("x",), ("tab", "right"), ("pagedown",), ("ctrl+t",), ("ctrl+t", "tab")):
            await press(pilot, *keys)
            screen = breathing(pilot)
            kept = [strip.text for strip in strips_of(screen)]
            styles = [list(strip) for strip in strips_of(screen)]
            forget_frame(screen)
            again = strips_of(screen)
            assert [strip.text for strip in again] == kept, keys
            assert [list(strip) for strip in again] == styles, keys


async def test_what_is_out_of_sight_is_drawn_ahead(fifty_path: Path) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="access", size=(120, 30)) as pilot:
        screen = breathing(pilot)

        def below() -> list[Widget]:
            page = Region(0, 30, 120, 30)
            places = places_of(screen).items()
            return [widget for widget, place in places if place.region.overlaps(page) and place.region.y > 30]

        assert len(below()) > 10
        await until(pilot, lambda: all(map(has_lines, below())))


async def test_what_is_laid_out_and_painted_anew_is_drawn_once(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="database", size=(120, 60)) as pilot:
        screen = breathing(pilot)
        screen.set_focus(None)
        await settle(pilot)
        with watched(monkeypatch) as seen:
            screen.query(Choice).first().display = False
            screen.refresh()
            await settle(pilot)
        assert seen.areas[0] == screen.size.area
        assert sum(seen.areas[1:]) < screen.size.area / 10, "at most a few rows that follow from it"


async def test_a_long_layout_lets_others_have_their_turn_before_it_is_drawn(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[object] = []
    reflow = Compositor.reflow

    def slow_reflow(self: Compositor, *args: Any) -> Any:
        time.sleep(4 * PIECE)
        return reflow(self, *args)

    async with wizard(FiftyCore(), path=fifty_path, step="database") as pilot:
        on_frame(monkeypatch, lambda _app, update: frames.append(update))
        monkeypatch.setattr(Compositor, "reflow", slow_reflow)
        screen = breathing(pilot)
        screen.refresh()
        lay_out(screen)
        assert frames == []
        await until(pilot, lambda: bool(frames))


async def test_what_changes_before_a_late_frame_is_in_it(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="database") as pilot:
        screen, box = breathing(pilot), pilot.app.screen.query(TextInput).last()
        screen.set_focus(None)
        await settle(pilot)
        with watched(monkeypatch) as seen:
            draw_late(screen, time.monotonic() - 3 * PIECE)
            assert seen.regions == [], "it is late, and waits"
            change(box)
            draw(screen)
            assert box.region in seen.regions


async def test_a_tall_widget_is_drawn_a_few_rows_at_a_time(fifty_path: Path) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="nodes") as pilot:
        screen = breathing(pilot)
        table = screen.query_one(NodeTable)
        forget_lines([table])
        parts = [part for widget, part in screen._cold() if widget is table]
        assert len(parts) > 1
        assert all(0 < part.height <= ROWS for part in parts)
        assert sum(part.height for part in parts) == table.region.intersection(screen.region).height


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of which a cell was looked for."""
    rows: list[int] = []
    on_cell(monkeypatch, rows.append)
    return rows


async def test_a_row_up_and_down_draws_two_rows(fifty_path: Path, cells: list[int]) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="nodes") as pilot:
        table = pilot.app.screen.query_one(NodeTable)
        table.focus()
        await settle(pilot)
        cells.clear()
        await press(pilot, "down")
        assert {0, 1} <= set(cells) <= {-1, 0, 1}
        table.move_cursor(row=49, scroll=True)
        await settle(pilot)
        table.move_cursor(row=10, scroll=True)
        await settle(pilot)
        cells.clear()
        await press(pilot, "up")
        assert set(cells) <= {-1, 9, 10}


async def test_a_cursor_that_comes_back_to_the_table_finds_its_rows(
    fifty_path: Path, cells: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    forgot: list[str] = []
    forget = DataTable.notify_style_update

    def notify_style_update(self: DataTable[Any]) -> None:
        forgot.append(self.app.theme)
        forget(self)

    async with wizard(FiftyCore(), path=fifty_path, step="nodes") as pilot:
        table = pilot.app.screen.query_one(NodeTable)
        table.focus()
        await press(pilot, "tab", "shift+tab")
        assert pilot.app.focused is table
        cells.clear()
        monkeypatch.setattr(DataTable, "notify_style_update", notify_style_update)
        await press(pilot, "tab", "shift+tab")
        assert pilot.app.focused is table
        assert cells == []
        assert forgot == []
        await press(pilot, "ctrl+t")
        await until(pilot, lambda: len(set(cells)) > 5)
        assert set(forgot) == {pilot.app.theme}


async def test_parts_are_not_styled_at_a_tab(fifty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    styled: list[Any] = []
    apply = Stylesheet.apply

    def noted(self: Stylesheet, node: Any, **more: Any) -> None:
        styled.append(node)
        apply(self, node, **more)

    async with wizard(FiftyCore(), path=fifty_path, step="database") as pilot:
        app_of(pilot).go("access", "admin.email")
        await settle(pilot)
        assert type(pilot.app.focused) is TextInput
        monkeypatch.setattr(Stylesheet, "apply", noted)
        await press(pilot, "tab")
        assert len(styled) == 2
        styled.clear()
        await press(pilot, "ctrl+t")
        await until(pilot, lambda: any("input--cursor" in node.classes for node in styled))


async def test_a_layout_changes_no_field_that_keeps_its_size(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    updated: list[Widget] = []
    async with wizard(FiftyCore(), path=fifty_path, step="access", size=(120, 40)) as pilot:
        on_scroll_update(monkeypatch, updated.append)
        lay_out(breathing(pilot))
        assert not [widget for widget in updated if isinstance(widget, TextInput)]
        await pilot.resize_terminal(80, 40)
        await settle(pilot)
        assert [widget for widget in updated if isinstance(widget, TextInput)]


async def test_a_choice_shows_its_cursor_where_it_is(fifty_path: Path) -> None:
    """Its style is the same with the cursor, what it draws is not."""
    async with wizard(FiftyCore(), path=fifty_path, step="access") as pilot:
        choice = pilot.app.screen.query(Choice).first()
        without = [list(strip) for strip in choice.render_lines(choice.size.region)]
        choice.focus()
        await settle(pilot)
        assert [list(strip) for strip in choice.render_lines(choice.size.region)] != without


def test_no_style_tells_parts_with_the_cursor_from_others() -> None:
    parts = re.compile(r"\b(TextInput|MultilineInput|Choice|Tabs|Cards|Menu|RowList):focus[^{,]*--")
    assert "Choice > .choice--cursor" in TCSS.read_text()
    assert not parts.findall(TCSS.read_text())


@pytest.mark.parametrize(
    ("vertical", "position", "text"),
    [
        (True, 0, "▁▁"),
        (False, 0, "▂▂▂▂▂     "),
        (False, 50, "     ▂▂▂▂▂"),
    ],
)
def test_scroll_bars_give_their_lines(vertical: bool, position: int, text: str) -> None:
    style = RichStyle(color="#ff0000", bgcolor="#000000")
    bar = ThinScrollBars(100, 50, position, 1, vertical, style)
    size = (1, 10) if vertical else (10, 1)
    strips = bar.render_strips(*size, Style(), RenderOptions(lambda _: Style(), {}))
    assert len(strips) == size[1]
    assert all(strip.cell_length == size[0] for strip in strips)
    coloured = bar.render_strips(
        *size, Style(background=Color(1, 2, 3)), RenderOptions(lambda _: Style(), {})
    )
    assert all(part.style and part.style.bgcolor for strip in coloured for part in strip)
    if vertical:
        whole = ThinScrollBars.render_bar(10, 100, 50, position, 1, True, style.bgcolor, style.color)  # type: ignore[arg-type]
        assert [list(strip) for strip in strips] == [[segment] for segment in whole.segments]
        reverse = [bool(segment.style and segment.style.reverse) for strip in strips for segment in strip]
        assert sum(reverse) == 5
    else:
        assert strips[0].text == text
        assert all(isinstance(segment, Segment) for segment in strips[0])


def test_the_first_frame_needs_no_text_area() -> None:
    program = (
        "import sys, oz_installer.tui.app, oz_installer.tui.screens.start;"
        "sys.exit('textual.widgets._text_area' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
