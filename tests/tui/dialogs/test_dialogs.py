"""Clicks on the buttons of every dialog."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.tui.widgets.menu import Menu
from tests.tui.by_mouse import click, point
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM, hosts, stranger
from tests.tui.running import PATH, RunCore
from tests.tui.support import SIZES, Driver, app_of, press, settle, step_of, text_of, until, wizard

HERE = Path("/home/admin/answers.yml")


def dialog_is_open(pilot: Driver) -> bool:
    """Return whether a dialog covers the step."""
    return pilot.app.screen is not step_of(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_save(size: tuple[int, int]) -> None:
    core = FakeCore()
    async with wizard(core, step="workload", size=size) as pilot:
        await press(pilot, "=12")
        await click(pilot, "^S Save")
        await click(pilot, "[ Cancel Esc ]")
        assert not dialog_is_open(pilot)
        assert core.kept == {}
        await click(pilot, "^S Save")
        await click(pilot, "[ Save ]")
        assert not dialog_is_open(pilot)
        assert list(core.kept) == [HERE]


@pytest.mark.parametrize("size", [(60, 20), *SIZES])
@pytest.mark.parametrize("many", [1, 60])
async def test_open(many: int, size: tuple[int, int]) -> None:
    """The buttons are visible with any number of files."""
    path = Path.cwd() / "mine.yml"
    others = {Path.cwd() / f"other-{n}.yml": MEDIUM for n in range(many)}
    async with wizard(FakeCore({path: MEDIUM, **others}), size=size) as pilot:
        await click(pilot, "Open an answers file")
        room = pilot.app.screen.query_one(".dialog").size.height
        assert room < 16 or many > 1, "and it is no larger than what it shows"
        await click(pilot, "[ Open ]")
        assert "Enter a path or choose a file below" in text_of(pilot)
        await click(pilot, "[ Cancel Esc ]")
        assert not dialog_is_open(pilot)
        await click(pilot, "Open an answers file")
        await press(pilot, "=mine.yml")
        await click(pilot, "[ Open ]")
        assert app_of(pilot).session.path == path


@pytest.mark.parametrize("size", SIZES)
async def test_a_question_with_two_answers(size: tuple[int, int]) -> None:
    core = FakeCore({HERE: MEDIUM})
    async with wizard(core, step="workload", size=size) as pilot:
        await press(pilot, "=12", "ctrl+s", "enter")
        await click(pilot, "[ Keep it Esc ]")
        assert core.kept == {}
        await press(pilot, "ctrl+s", "enter")
        await click(pilot, "[ Replace it ]")
        assert list(core.kept) == [HERE]


@pytest.mark.parametrize("size", SIZES)
async def test_the_form_of_a_node(size: tuple[int, int]) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="nodes", size=size) as pilot:
        await press(pilot, "e", "=x")
        await click(pilot, "[ Cancel Esc ]")
        await click(pilot, "[ Discard ]")
        assert not dialog_is_open(pilot)
        assert app_of(pilot).session.working.get("nodes[0].name") == "api1"
        await press(pilot, "e", "=x")
        await click(pilot, "[ Done ^N ]")
        assert not dialog_is_open(pilot)
        assert app_of(pilot).session.working.get("nodes[0].name") == "api1x"


@pytest.mark.parametrize("size", SIZES)
async def test_hosts_to_import(size: tuple[int, int]) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.hosts = tuple(hosts())
    async with wizard(core, path=ANSWERS, step="nodes", size=size) as pilot:
        working = app_of(pilot).session.working
        await press(pilot, "i")
        await click(pilot, "bio7", last=True)
        assert "[x] bio7" in text_of(pilot)
        await click(pilot, "[ Cancel Esc ]")
        assert app_of(pilot).session.working == working
        await press(pilot, "i")
        await click(pilot, "[ Mark all a ]")
        await click(pilot, "bio7", last=True)
        await click(pilot, "[ Add ^N ]")
        now = app_of(pilot).session.working
        assert [now.get(f"nodes[{place}].host") for place in range(4, now.nodes())] == ["bastion.example.com"]


@pytest.mark.parametrize("size", [(60, 20), *SIZES])
async def test_the_keys_of_fifty_new_servers(size: tuple[int, int]) -> None:
    working = WorkingCopy.new()
    for number in range(50):
        working = working.add_node({"name": f"n{number}", "host": f"10.0.0.{number}"})
    core = FakeCore({ANSWERS: working.yaml()})
    core.outside.tried = [stranger(f"n{number}") for number in range(50)]
    async with wizard(core, path=ANSWERS, step="nodes", size=size) as pilot:
        await press(pilot, "f5")
        assert "50 new host keys" in text_of(pilot)
        await click(pilot, "[ Not now Esc ]")
        assert not dialog_is_open(pilot)
        await press(pilot, "f5")
        await click(pilot, "[ Accept all ]")
        now = app_of(pilot).session.working
        assert all(now.get(f"nodes[{place}].host_key") for place in range(50))


@pytest.mark.parametrize("size", SIZES)
async def test_the_key_of_a_new_server(size: tuple[int, int]) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.tried = [stranger("api1")]
    async with wizard(core, path=ANSWERS, step="nodes", size=size) as pilot:
        await press(pilot, "t")
        assert "A new host key" in text_of(pilot)
        await click(pilot, "[ Not now Esc ]")
        assert app_of(pilot).session.working.get("nodes[0].host_key") is None
        await press(pilot, "t")
        await click(pilot, "[ Accept ]")
        assert app_of(pilot).session.working.get("nodes[0].host_key")


@pytest.mark.parametrize("size", SIZES)
async def test_a_password_that_is_asked_for(size: tuple[int, int]) -> None:
    async with wizard(step="workload", size=size) as pilot:
        app, given = app_of(pilot), list[object]()

        def job(_post: object, _stop: object) -> None:
            assert app.core.ask is not None
            given.append(app.core.ask("SSH password of api1"))

        app.jobs.start("ask", job)
        await until(pilot, lambda: "SSH password of api1" in text_of(pilot))
        await pilot.press(*"canary")
        await point(pilot, "[ Continue ]")
        await settle(pilot)
        assert [str(secret) for secret in given] == ["********"]


@pytest.mark.parametrize("size", SIZES)
async def test_a_picture(size: tuple[int, int]) -> None:
    core = RunCore()
    async with wizard(core, path=PATH, step="review", size=size) as pilot:
        await click(pilot, "[ Export SVG ]")
        await click(pilot, "[ Cancel Esc ]")
        assert core.pictures == {}
        await click(pilot, "[ Export SVG ]")
        await click(pilot, "[ Save ]")
        assert list(core.pictures) == [PATH.with_suffix(".svg")]


@pytest.mark.parametrize("size", SIZES)
async def test_an_image_of_the_release(size: tuple[int, int]) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="access", size=size) as pilot:
        step_of(pilot).query_one("#image").focus()
        await settle(pilot)
        await click(pilot, "[ Choose an image ]")
        await click(pilot, "[ Close Esc ]")
        assert not app_of(pilot).session.working.is_given("images")
        await click(pilot, "[ Choose an image ]")
        await press(pilot, "end")  # the next target has been scrolled into view
        name = pilot.app.screen.query_one(Menu).items[-2].id
        await click(pilot, f" {name}", last=True)
        assert list(app_of(pilot).session.working.get("images")) == [name]
