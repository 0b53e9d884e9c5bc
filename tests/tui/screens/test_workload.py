"""The workload follows the input; scenarios are cards; a disabled one has a reason."""

from __future__ import annotations

from textual.widgets import Static

from oz_installer.tui.widgets.cards import Cards
from tests.tui.support import Driver, app_of, press, settle, step_of, text_of, wizard


def needs(pilot: Driver) -> str:
    """Return the summary of the workload, in one line."""
    return " ".join(str(step_of(pilot).query_one("#needs", Static).visual).split())


async def test_the_sizing_follows_what_is_typed() -> None:
    async with wizard(step="workload") as pilot:
        await press(pilot, "=45")
        shown = needs(pilot)
        assert "BIO instances 2" in shown
        assert "45 analyses per minute are more than the 8 that a PoC" in shown
        await press(pilot, "tab", "tab", "=3", "tab", "=20000", "tab", "=90")
        assert "10,800 GB" in needs(pilot)


async def test_a_scenario_is_chosen_by_arrows_or_a_click() -> None:
    async with wizard(step="workload") as pilot:
        step_of(pilot).focus_key("scenario")
        await press(pilot, "right", "right")
        assert app_of(pilot).session.working.get("scenario") == "medium"
        assert "(•) Medium load" in text_of(pilot), "its title stays in sight"
        await press(pilot, "right")
        assert app_of(pilot).session.working.get("scenario") == "medium", "high load cannot be chosen"
        await pilot.click(Cards, offset=(2, 0))
        await settle(pilot)
        assert app_of(pilot).session.working.get("scenario") == "poc"


async def test_the_names_of_the_scenarios_are_in_sight_once_the_cursor_is_there() -> None:
    async with wizard(step="workload") as pilot:
        await press(pilot, *(["tab"] * 7))
        assert isinstance(pilot.app.focused, Cards)
        assert "( ) Medium load" in text_of(pilot)


async def test_high_load_says_why_it_cannot_be_chosen() -> None:
    async with wizard(step="workload") as pilot:
        assert "cannot be chosen: high-load" in text_of(pilot)


async def test_a_missing_scenario_is_told_once_the_step_was_left() -> None:
    async with wizard(step="workload") as pilot:
        assert "! is missing" not in text_of(pilot)
        await press(pilot, "ctrl+n", "ctrl+b")
        assert "! 1" in text_of(pilot) or "1 here" in text_of(pilot)


async def test_the_titles_of_the_cards_stay_in_sight_when_the_text_above_them_grows() -> None:
    async with wizard(step="workload") as pilot:
        await press(pilot, "=45", "tab", "tab", "=3", "tab", "tab", "=90")
        await press(pilot, *["tab"] * 3, "right", "right")
        assert app_of(pilot).session.working.get("scenario") == "medium"
        assert "(•) Medium load" in text_of(pilot)
