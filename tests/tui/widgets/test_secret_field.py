"""The field of a secret: four sources, masked, and never lost by showing it."""

from __future__ import annotations

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.model import SecretRef
from oz_installer.tui.widgets.secret_field import Reveal, SecretField
from oz_installer.tui.widgets.text_input import TextInput
from tests.tui.form_case import answers, form, note
from tests.tui.support import press, step_of, text_of, wizard

CANARY = "canary-Pa55w0rd"


@pytest.mark.parametrize(
    ("moves", "typed", "ref"),
    [
        ([], CANARY, SecretRef(kind="plain", where=CANARY)),
        (["right"], "OZ_DB_PASSWORD", SecretRef(kind="env", where="OZ_DB_PASSWORD")),
        (["right", "right"], "./db.password", SecretRef(kind="file", where="./db.password")),
        (["right", "right", "right"], "", SecretRef(kind="prompt")),
    ],
)
async def test_a_secret_in_four_ways(moves: list[str], typed: str, ref: SecretRef) -> None:
    async with form("database.password") as pilot:
        await press(pilot, *moves)
        if typed:
            await press(pilot, "tab", f"={typed}")
        assert answers(pilot).get("database.password") == ref


@pytest.mark.parametrize(
    ("ref", "forth", "back"),
    [
        (SecretRef(kind="plain", where=CANARY), ["right"], ["left"]),
        (SecretRef(kind="env", where="OZ_DB_PASSWORD"), ["right"], ["left"]),
        (SecretRef(kind="env", where="OZ_DB_PASSWORD"), ["right", "right"], ["left", "left"]),
        (SecretRef(kind="file", where="./db.password"), ["left", "left"], ["right", "right"]),
    ],
)
async def test_looking_at_another_way_loses_no_secret(
    ref: SecretRef, forth: list[str], back: list[str]
) -> None:
    working = WorkingCopy.new().with_value("database.password", ref)
    async with form("database.password", working=working) as pilot:
        way = pilot.app.screen.query_one("#way")
        way.focus()
        await press(pilot, *forth)
        now = answers(pilot).get("database.password")
        assert now is None or now.kind == "prompt"
        if now is None:
            assert "null" not in answers(pilot).yaml(), "left out, not emptied"
        await press(pilot, *back)
        assert answers(pilot).get("database.password") == ref
        assert CANARY not in text_of(pilot) + pilot.app.export_screenshot()


async def test_a_wrong_name_is_still_there_when_its_way_is_chosen_again() -> None:
    async with form("database.password") as pilot:
        await press(pilot, "right", "tab", "=1 no", "shift+tab", "right", "left")
        assert pilot.app.screen.query_one(TextInput).value == "1 no"
        assert answers(pilot).get("database.password") is None


async def test_a_wrong_name_of_a_variable_is_no_answer() -> None:
    async with form("database.password") as pilot:
        await press(pilot, "right", "tab", "=1 no")
        assert answers(pilot).get("database.password") is None
        assert "the name of an environment variable" in note(pilot, "database.password")


async def test_where_nothing_is_to_be_shown_its_place_stays() -> None:
    async with form("database.password") as pilot:
        reveal = pilot.app.screen.query_one(Reveal)
        place = reveal.region
        assert "[ Show ]" in text_of(pilot)
        await press(pilot, "right")
        assert "[ Show ]" not in text_of(pilot)
        assert reveal.region == place
        await press(pilot, "tab", "tab")
        assert pilot.app.focused is not reveal


async def test_a_typed_secret_is_masked_and_revealed_on_demand() -> None:
    async with form("database.password") as pilot:
        await press(pilot, "tab", f"={CANARY}")
        assert CANARY not in text_of(pilot)
        await press(pilot, "tab", "space")
        assert CANARY in text_of(pilot)
        await press(pilot, "space")
        assert CANARY not in text_of(pilot)
        await press(pilot, "space")
        assert CANARY not in pilot.app.export_screenshot()
        await press(pilot, "space", "tab")
        assert CANARY not in text_of(pilot), "hidden when the cursor goes on"


async def test_who_goes_on_by_enter_does_not_reveal_a_secret() -> None:
    async with wizard(step="database") as pilot:
        step_of(pilot).focus_key("database.password")
        await press(pilot, "=unveiled", "enter", "enter")
        assert "unveiled" not in text_of(pilot)
        assert step_of(pilot).focused_key() != "database.password"


async def test_a_secret_whose_form_is_being_closed_does_no_harm() -> None:
    async with form("database.password") as pilot:
        field = step_of(pilot).query_one(SecretField)
        await field.query_one(Reveal).remove()
        field.reveal(False)
        await field.query(TextInput).remove()
        field.reveal(False)


async def test_a_secret_is_seen_while_the_mouse_button_is_down() -> None:
    async with form("database.password") as pilot:
        await press(pilot, "tab", f"={CANARY}")
        reveal = step_of(pilot).query_one(Reveal)
        await pilot.mouse_down(reveal)
        await pilot.pause()
        assert CANARY in text_of(pilot)
        await pilot.mouse_up(reveal)
        await pilot.pause()
        assert CANARY not in text_of(pilot)


async def test_a_secret_is_neither_copied_nor_shown_again() -> None:
    working = WorkingCopy.new().with_value("database.password", SecretRef(kind="plain", where=CANARY))
    async with form("database.password", working=working) as pilot:
        assert "set; type to replace it" in text_of(pilot)
        assert not step_of(pilot).query_one(SecretField).query_one(TextInput).value
        await press(pilot, "tab", "=x", "shift+home", "ctrl+c")
        assert pilot.app.clipboard == ""
