"""Fields of every kind: input becomes an answer, and problems are shown while typing."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.tui.widgets.choice import Choice
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.text_input import TextInput
from tests.tui.form_case import answers, form, note
from tests.tui.support import Driver, press, settle, step_of, text_of

CANARY = "canary-Pa55w0rd"


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
        assert answers(pilot).is_given(key)
        await press(pilot, "end", *["backspace"] * len(typed))
        assert not answers(pilot).is_given(key)


@pytest.mark.parametrize(
    ("key", "typed", "shown"),
    [
        ("public_url", "oz.example.com", "write https://oz.example.com"),
        ("database.port", "99999", "! Port should be from 1 to 65535"),
        ("database.port", "abc", "! Port should be a whole number"),
        ("database.host", "db_1/x", "! Host is neither a host name nor an IP address"),
        ("workload.apm", "0", "! Analyses per minute should be above zero"),
        ("images", "Oz API: x", "! "),
        ("extra.config", "lower: 1", "write LOWER"),
    ],
)
async def test_what_is_wrong_is_told_while_typing(key: str, typed: str, shown: str) -> None:
    async with form(key) as pilot:
        await press(pilot, f"={typed}")
        assert shown in " ".join(note(pilot, key).split())
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
        assert note(pilot, "public_url") == "URL at which users reach Oz; links to media are built from it."
        assert note(pilot, "admin.email") == ""
        await press(pilot, "enter")
        assert note(pilot, "admin.email") == "Login name of the administrator."


@pytest.mark.parametrize("on", ["tab", "enter"])
async def test_what_is_typed_ahead_lands_in_the_next_field(on: str) -> None:
    async with form("public_url", "admin.email") as pilot:
        for key in ("a", on, "b"):  # all at once, as from a slow connection
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
        assert "cannot use verify-full without a CA" in " ".join(text_of(pilot).split())
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
    working = WorkingCopy.new().add_node({"name": "n1", "host": "10.0.0.1"})
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
    working = (
        WorkingCopy.new()
        .with_value("public_url", "https://oz.example.com")
        .with_text("database.port", "many")
    )
    async with form("public_url", "database.port", "engine", working=working) as pilot:
        assert [box.value for box in step_of(pilot).query(TextInput)] == ["https://oz.example.com", "many"]
        assert "whole number" in note(pilot, "database.port")


async def test_pasted_text_loses_line_breaks_and_control_characters() -> None:
    async with form("public_url") as pilot:
        box = step_of(pilot).query_one(TextInput)
        box.post_message(events.Paste("\n https://oz.example\x1b.com\x07 \r\nrm -rf /\n"))
        await settle(pilot)
        assert box.value == "https://oz.example.com"
        assert "skipped 1 more line and control characters" in text_of(pilot)


async def test_ten_thousand_characters_are_told_to_be_too_many() -> None:
    async with form("public_url") as pilot:
        step_of(pilot).query_one(TextInput).post_message(events.Paste("x" * 10_000))
        await settle(pilot)
        assert "longer than 4096" in note(pilot, "public_url")
