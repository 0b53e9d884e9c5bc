"""The step Access: questions of this installation, and images by name."""

from __future__ import annotations

import pytest
from textual import events

from oz_installer.tui.steps import keys_of
from oz_installer.tui.widgets.field import Field
from tests.tui import support
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM, POC
from tests.tui.support import SIZES, Driver, app_of, check_golden, press, settle, text_of, wizard

CANARY = "canary-Zx9!pass"


def fields(pilot: Driver) -> set[str]:
    """Return the questions whose fields are shown."""
    return {one.key for one in support.step_of(pilot).query(Field).results(Field) if one.display}


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).split())


async def test_every_question_of_the_step_has_a_field() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="access") as pilot:
        keys = {one.key for one in support.step_of(pilot).query(Field).results(Field)}
        assert keys == set(keys_of("access"))


async def test_what_does_not_concern_the_installation_is_not_asked() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="access") as pilot:
        gone = {"load_balancer.type", "load_balancer.node", "updater.token", "license.web_adapter"}
        assert not gone & fields(pilot)
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="access") as pilot:
        assert {"load_balancer.type", "updater.token", "updater.host"} <= fields(pilot)
        support.step_of(pilot).focus_key("load_balancer.type")
        await press(pilot, "right")
        assert "load_balancer.node" in fields(pilot)


@pytest.mark.parametrize(
    ("left_out", "added", "shown"),
    [
        ("updater: {token: {env: OZ_TOKEN}}\n", "", "! The BIO updater needs the client token"),
        ("", "components: {web_adapter: 'https://w.example.com'}\n", "! The web adapter needs its license"),
    ],
)
async def test_what_a_component_needs_is_marked_although_another_answer_is_missing(
    left_out: str, added: str, shown: str
) -> None:
    text = MEDIUM.replace("public_url: https://oz.example.com\n", "").replace(left_out, "") + added
    async with wizard(FakeCore({ANSWERS: text}), path=ANSWERS, size=(80, 60)) as pilot:
        assert support.step_of(pilot).STEP == "access"
        assert "! Public URL is missing" in words(pilot)
        assert shown in words(pilot)
        assert "! 2 here" in words(pilot)


async def test_errors_and_bad_input() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="access") as pilot:
        support.step_of(pilot).focus_key("public_url")
        await press(pilot, "home", "shift+end", "backspace", "=oz.example.com")
        assert "should start with http:// or https://" in words(pilot)
        await press(pilot, "home", "shift+end", "backspace")
        assert pilot.app.focused is not None
        pilot.app.focused.post_message(events.Paste("https://oz.example.com\nmore\n"))
        await settle(pilot)
        assert app_of(pilot).session.working.get("public_url") == "https://oz.example.com"
        pilot.app.focused.post_message(events.Paste("x" * 10_000))
        await settle(pilot)
        assert max(len(line) for line in text_of(pilot).splitlines()) <= 120


async def test_images_by_name() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="access", size=(99, 40)) as pilot:
        support.step_of(pilot).query_one("#image").focus()
        await press(pilot, "enter")
        assert "Choose an image of the release" in text_of(pilot)
        await press(pilot, "enter")
        ((name, image),) = app_of(pilot).session.working.get("images").items()
        assert f'{name}: "{image}"' in text_of(pilot)
        assert support.step_of(pilot).focused_key() == "images"
        await press(pilot, "enter", "=nonsense: a/b:1")
        assert "The release has no such image" in words(pilot)


async def test_a_short_password_of_the_administrator_is_noted_and_taken() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="access") as pilot:
        support.step_of(pilot).focus_key("admin.password")
        await press(pilot, "=admin1")
        assert "? Password is shorter than 8 characters" in words(pilot)
        working = app_of(pilot).session.working
        assert working.answers() is not None
        assert working.get("admin.password").where == "admin1"
        await press(pilot, "=23")
        assert "shorter than 8" not in words(pilot)
        support.step_of(pilot).focus_key("registry.password")
        await press(pilot, "=r1")
        assert "shorter than 8" not in words(pilot), "of people only"


async def test_secrets_are_on_no_screen_and_in_no_export() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="access") as pilot:
        for key in ("admin.password", "registry.password"):
            support.step_of(pilot).focus_key(key)
            await press(pilot, f"={CANARY}")
            working = app_of(pilot).session.working
            assert working.get(key) is not None
            shown = text_of(pilot) + pilot.app.export_screenshot()
            assert CANARY not in shown + repr(working) + working.yaml() + working.yaml(masked=True)


@pytest.mark.parametrize("size", SIZES)
async def test_how_it_looks(size: tuple[int, int]) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="access", size=size) as pilot:
        check_golden("access", pilot)
