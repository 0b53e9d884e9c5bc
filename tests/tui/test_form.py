"""Fields of every kind: what is typed becomes an answer, what is wrong is told while typing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from textual import events
from textual.app import ComposeResult

from oz_installer.answers.model import SecretRef
from oz_installer.answers.working import Working
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.widgets.choice import Choice
from oz_installer.tui.widgets.field import Note
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.secret_field import Reveal, SecretField
from oz_installer.tui.widgets.text_input import TextInput
from tests.tui.support import Driver, app_of, press, settle, step_of, text_of, wizard

CANARY = "canary-Pa55w0rd"


class FormScreen(StepScreen):
    """A step of nothing but fields."""

    STEP: ClassVar[str] = "access"

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self._asked = keys

    def body(self) -> ComposeResult:
        yield Form(*self._asked)


@asynccontextmanager
async def form(*keys: str, working: Working | None = None) -> AsyncIterator[Driver]:
    """A form of these questions, the cursor on the first."""
    async with wizard() as pilot:
        app = app_of(pilot)
        app.session.working = working or Working.new()
        app._steps["access"] = screen = FormScreen(*keys)
        app.install_screen(screen, "form")
        app.go("access")
        await settle(pilot)
        yield pilot


def note(pilot: Driver, key: str) -> str:
    """The line under a field."""
    field = step_of(pilot).query_one(Form).field(key)
    return str(field.query_one(Note).visual)


def answers(pilot: Driver) -> Working:
    return app_of(pilot).session.working


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("public_url", "https://oz.example.com", "https://oz.example.com"),
        ("database.port", "5433", 5433),
        ("workload.media_mb", "1.5", 1.5),
        ("license.bio", "keys/license.key", Path("keys/license.key")),
        ("admin.email", "a@b.example", "a@b.example"),
    ],
)
async def test_text_becomes_an_answer(key: str, typed: str, value: object) -> None:
    async with form(key) as pilot:
        await press(pilot, f"={typed}")
        assert answers(pilot).get(key) == value
        assert answers(pilot).given(key)
        await press(pilot, "end", *["backspace"] * len(typed))
        assert not answers(pilot).given(key)


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("public_url", "oz.example.com", "did you mean https://oz.example.com?"),
        ("database.port", "99999", "! Port should be from 1 to 65535"),
        ("database.port", "abc", "! Port should be a whole number"),
        ("database.host", "db_1/x", "! Host is neither a host name nor an IP address"),
        ("workload.apm", "0", "! Analyses per minute should be above zero"),
        ("images", "Oz API: x", "! "),
        ("extra.config", "lower: 1", "did you mean LOWER?"),
    ],
)
async def test_what_is_wrong_is_told_while_typing(key: str, typed: str, said: str) -> None:
    async with form(key) as pilot:
        await press(pilot, f"={typed}")
        assert said in " ".join(note(pilot, key).split())
        assert not answers(pilot).answers()


async def test_a_number_is_not_rewritten_while_it_is_typed() -> None:
    async with form("workload.media_mb") as pilot:
        await press(pilot, "=1.50")
        assert step_of(pilot).query_one(TextInput).value == "1.50"
        assert answers(pilot).get("workload.media_mb") == 1.5


async def test_a_missing_answer_is_told_once_the_field_was_left() -> None:
    async with form("public_url", "admin.email") as pilot:
        assert "!" not in note(pilot, "public_url")
        await press(pilot, "tab")
        assert note(pilot, "public_url") == "! Public URL is missing"
        await press(pilot, "shift+tab", "=https://oz.example.com")
        assert "!" not in note(pilot, "public_url")


async def test_help_stands_under_the_field_with_the_cursor() -> None:
    async with form("public_url", "admin.email") as pilot:
        assert note(pilot, "public_url") == "How users reach Oz; links to media are built from it."
        assert note(pilot, "admin.email") == ""
        await press(pilot, "enter")
        assert note(pilot, "admin.email") == "Login of the administrator."


@pytest.mark.parametrize("on", ["tab", "enter"])
async def test_what_is_typed_ahead_lands_in_the_next_field(on: str) -> None:
    async with form("public_url", "admin.email") as pilot:
        for key in ("a", on, "b"):  # as a slow connection hands them on: all at once
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(pilot)
        assert [box.value for box in step_of(pilot).query(TextInput)] == ["a", "b"]


async def test_a_choice_by_arrows_and_by_mouse() -> None:
    async with form("engine", "database.sslmode") as pilot:
        await press(pilot, "right")
        assert answers(pilot).get("engine") == "podman"
        choice = step_of(pilot).query(Choice).first()
        await pilot.click(choice, offset=(2, 0))
        await settle(pilot)
        assert answers(pilot).get("engine") == "docker"
        assert "(•) docker  ( ) podman" in text_of(pilot)


async def test_what_the_release_cannot_do_is_greyed_out_with_the_reason() -> None:
    async with form("database.sslmode") as pilot:
        assert "cannot use verify-full: libpq verifies a server" in " ".join(text_of(pilot).split())
        await press(pilot, *["right"] * 5)
        assert answers(pilot).get("database.sslmode") == "require"


def is_off(pilot: Driver, key: str) -> bool:
    return step_of(pilot).query_one(Form).field(key).disabled


async def test_a_field_that_cannot_be_used_is_greyed_out_until_it_can() -> None:
    async with form("broker.type", "broker.user") as pilot:
        assert is_off(pilot, "broker.user")
        assert note(pilot, "broker.user").startswith("User is not used by Redis")
        await press(pilot, "right")
        assert answers(pilot).get("broker.type") == "rabbitmq"
        assert not is_off(pilot, "broker.user")
        await press(pilot, "enter", "=oz", "shift+tab", "left")
        assert not is_off(pilot, "broker.user"), "a wrong answer can be taken out again"
        assert note(pilot, "broker.user").startswith("! User is not used by Redis")


async def test_a_component_is_switched_by_space() -> None:
    async with form("components.one_to_n") as pilot:
        assert "[ ] off" in text_of(pilot)
        await press(pilot, "space")
        assert answers(pilot).get("components.one_to_n") is True
        assert "[x] on" in text_of(pilot)


async def test_several_of_a_list_are_ticked() -> None:
    working = Working.new().add_node({"name": "n1", "host": "10.0.0.1"})
    async with form("nodes[0].roles", working=working) as pilot:
        await press(pilot, "space", "right", "space")
        assert answers(pilot).get("nodes[0].roles") == ("api", "bio")
        await press(pilot, "space")
        assert answers(pilot).get("nodes[0].roles") == ("api",)


async def test_lines_become_a_mapping() -> None:
    async with form("images", "extra.config") as pilot:
        await press(pilot, "=nginx: nginx:1.27.4", "enter", "=oz-api: mine/oz-api:1")
        assert answers(pilot).get("images") == {"nginx": "nginx:1.27.4", "oz-api": "mine/oz-api:1"}
        await press(pilot, "tab", "=OZ_SESSION_TTL: 60")
        assert answers(pilot).get("extra.config") == {"OZ_SESSION_TTL": 60}


async def test_answers_of_a_file_are_shown() -> None:
    working = Working.new().put("public_url", "https://oz.example.com").typed("database.port", "many")
    async with form("public_url", "database.port", "engine", working=working) as pilot:
        assert [box.value for box in step_of(pilot).query(TextInput)] == ["https://oz.example.com", "many"]
        assert "whole number" in note(pilot, "database.port")


async def test_pasted_text_loses_line_breaks_and_control_characters() -> None:
    async with form("public_url") as pilot:
        box = step_of(pilot).query_one(TextInput)
        box.post_message(events.Paste("\n https://oz.example\x1b.com\x07 \r\nrm -rf /\n"))
        await settle(pilot)
        assert box.value == "https://oz.example.com"
        assert "left out: 1 more line and control characters" in text_of(pilot)


async def test_ten_thousand_characters_are_told_to_be_too_many() -> None:
    async with form("public_url") as pilot:
        step_of(pilot).query_one(TextInput).post_message(events.Paste("x" * 10_000))
        await settle(pilot)
        assert "longer than 4096" in note(pilot, "public_url")


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


async def test_a_wrong_name_of_a_variable_is_no_answer() -> None:
    async with form("database.password") as pilot:
        await press(pilot, "right", "tab", "=1 no")
        assert answers(pilot).get("database.password") is None
        assert "the name of an environment variable" in note(pilot, "database.password")


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
    working = Working.new().put("database.password", SecretRef(kind="plain", where=CANARY))
    async with form("database.password", working=working) as pilot:
        assert "given; type to replace it" in text_of(pilot)
        assert not step_of(pilot).query_one(SecretField).query_one(TextInput).value
        await press(pilot, "tab", "=x", "shift+home", "ctrl+c")
        assert pilot.app.clipboard == ""
