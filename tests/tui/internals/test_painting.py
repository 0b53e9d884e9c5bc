"""The work of one key: how much of the screen is repainted, and whether it is laid out again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from textual import events
from textual.containers import VerticalScroll
from textual.content import Content
from textual.coordinate import Coordinate
from textual.pilot import Pilot
from textual.widgets import Input

from oz_installer.tui.app import WizardApp
from oz_installer.tui.controllers.exit import ExitOutcome
from oz_installer.tui.dialogs.node import NodeDialog
from oz_installer.tui.internals.switch_interval import SHORT
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.widgets.cards import Cards
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.node_table import NodeTable
from oz_installer.tui.widgets.static_text import LiveText
from tests.tui.fake_core import FakeCore
from tests.tui.fifty import FiftyCore
from tests.tui.painted import watched
from tests.tui.probes import on_frame, resize
from tests.tui.support import app_of, press, settle, step_of, wizard


async def test_a_cursor_that_moves_paints_two_fields(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="database") as pilot:
        await press(pilot, "tab", "tab")
        with watched(monkeypatch) as seen:
            await press(pilot, "tab")
        rows = {row for region in seen.regions for row in range(region.y, region.bottom)}
        assert 0 < len(rows) < 12, seen.regions


async def test_a_letter_lays_nothing_out(fifty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="database") as pilot:
        app_of(pilot).go("database", "database.host")
        await settle(pilot)
        await press(pilot, "x")
        with watched(monkeypatch) as seen:
            await press(pilot, "y", "backspace", "backspace")
        assert seen.regions
        assert seen.laid_out == []


async def test_below_the_form_of_a_node_nothing_moves(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="nodes") as pilot:
        await press(pilot, "f5", "e")
        assert isinstance(pilot.app.screen, NodeDialog)
        with watched(monkeypatch) as seen:
            await press(pilot, "x", "y", "z")
        assert "NodesScreen" not in seen.laid_out
        await press(pilot, "ctrl+n")
        name = step_of(pilot).query_one(NodeTable).get_cell_at(Coordinate(0, 1))
        assert name.plain.startswith("api1xyz")


async def test_a_dialog_is_styled_and_laid_out_for_its_size_once(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    had: list[bool] = []
    post = NodeDialog.update_classes

    def update_classes(self: NodeDialog, *args: object, **more: object) -> None:
        had.append(self.has_class("-wide") and self.has_class("-tall"))
        post(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(NodeDialog, "update_classes", update_classes)
    async with wizard(FiftyCore(), path=fifty_path, step="nodes") as pilot:
        await press(pilot, "e")
        dialog = pilot.app.screen
        assert had == [True], "Textual tells it what it has"
        with watched(monkeypatch) as seen:
            resize(dialog, dialog.size)
            assert seen.laid_out == []
            resize(dialog, dialog.size - (1, 0))
            assert seen.laid_out == ["NodeDialog"]


async def test_a_window_of_another_size_is_laid_out(fifty_path: Path) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="database", size=(120, 40)) as pilot:
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert pilot.app.screen.size.width == 80
        assert pilot.app.screen.has_class("-narrow")
        assert pilot.app.screen.query_one("#body").region.right <= 80


@pytest.mark.parametrize("key", ["right", "backspace", "x"])
async def test_what_was_edited_is_painted_before_what_follows(
    fifty_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    order: list[str] = []
    follow = StepScreen.follow

    def noted(self: StepScreen) -> None:
        order.append("followed")
        follow(self)

    async with wizard(FiftyCore(), path=fifty_path, step="storage") as pilot:
        app_of(pilot).go("storage", "storage.type" if key == "right" else "storage.server")
        await press(pilot, "end")
        monkeypatch.setattr(StepScreen, "follow", noted)
        on_frame(monkeypatch, lambda *_: order.append("painted"))
        await press(pilot, key)
    assert order[:2] == ["painted", "followed"], order


async def test_a_card_is_chosen_at_once(fifty_path: Path) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="workload") as pilot:
        cards = step_of(pilot).query_one(Cards)
        before = str(cards.chosen)
        cards.action_move(-1)
        assert (before, str(cards.chosen)) == ("medium", "poc"), "nothing was awaited"
        assert app_of(pilot).session.working.get("scenario") == cards.chosen


async def test_before_a_key_that_goes_elsewhere_all_follows(fifty_path: Path) -> None:
    async with wizard(FiftyCore(), path=fifty_path, step="storage") as pilot:
        app, step = app_of(pilot), step_of(pilot)
        app.go("storage", "storage.server")
        await settle(pilot)
        step.follow_soon()
        await app.in_order.take(events.Key("x", "x"))
        pending = [step._follows]  # a letter waits for nothing
        await app.in_order.take(events.Key("tab", None))
        assert [*pending, step._follows] == [True, False]
        await settle(pilot)


async def test_keys_behind_a_choice_go_where_it_leads(fifty_path: Path) -> None:
    """All at once, as from a line that stalls: the field that the choice brings is there for the next key."""
    async with wizard(FiftyCore(), path=fifty_path, step="storage") as pilot:
        app_of(pilot).go("storage", "storage.type")
        await settle(pilot)
        for key in ("right", "tab", "slash", "m"):
            character = {"slash": "/", "m": "m"}.get(key)
            pilot.app.post_message(events.Key(key, character))
        await settle(pilot)
        working = app_of(pilot).session.working
        kind = working.get("storage.type")
        assert kind != "nfs"
        shown = [field for form in step_of(pilot).query(Form) for field in form.fields if field.display]
        assert pilot.app.focused in {one for field in shown for one in field.query(Input)}
        assert working.get("storage.path") == "/m"


async def test_words_said_again_move_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wizard(step="storage") as pilot:
        words = step_of(pilot).query_one(LiveText)
        words.set_text("Shared.")
        await settle(pilot)
        with watched(monkeypatch) as seen:
            words.set_text("Shared.")
            await settle(pilot)
        assert seen.laid_out == []
        with watched(monkeypatch) as seen:
            words.set_text("Shared, by both.")
            await settle(pilot)
        assert seen.laid_out == ["StorageScreen"]


async def test_threads_give_the_interpreter_back_at_once() -> None:
    before, meanwhile = sys.getswitchinterval(), []

    async def look(pilot: Pilot[ExitOutcome]) -> None:
        meanwhile.append(sys.getswitchinterval())
        pilot.app.exit()

    await WizardApp(FakeCore()).run_async(headless=True, auto_pilot=look)
    assert meanwhile == [pytest.approx(SHORT)]
    assert sys.getswitchinterval() == pytest.approx(before)


@pytest.mark.parametrize("rows", [34, 28])
async def test_cards_have_the_height_that_a_window_gives_them(rows: int) -> None:
    """A higher one has more room between their parts."""
    async with wizard(step="workload", size=(120, 62 - rows)) as pilot:
        cards = step_of(pilot).query_one(Cards)
        before = cards.size.height
        await pilot.resize_terminal(120, rows)
        await settle(pilot)
        assert cards.size.height == cards.get_content_height(cards.size, cards.size, cards.size.width)
        assert cards.size.height != before


async def test_the_same_words_in_another_colour_are_painted() -> None:
    async with wizard(step="storage") as pilot:
        words = step_of(pilot).query_one(LiveText)
        for colour in ("red", "green"):
            words.set_text(Content.styled("Shared.", colour))
            await settle(pilot)
            assert str(words.content.spans[0].style) == colour  # type: ignore[union-attr]


async def test_typing_in_the_form_of_a_node_does_not_shift_it(fifty_path: Path) -> None:
    """At 120x40 the form fits just so: a note of two rows brings a scroll bar."""
    async with wizard(FiftyCore(), path=fifty_path, step="nodes") as pilot:
        await press(pilot, "e")
        body = pilot.app.screen.query_one(".dialog-body", VerticalScroll)
        box = pilot.app.screen.query(Input).first()
        width, bars = box.region.width, set()
        for text in ("=x", "=" + "y " * 90):
            await press(pilot, text)
            bars.add(body.show_vertical_scrollbar)
            assert box.region.width == width
        assert bars == {False, True}, "this test wants the bar to come"
