"""The steps Database and Storage: forms by mode, tests from the nodes, a step that is left."""

from __future__ import annotations

import pytest
from textual import events

from oz_installer.errors import AnswersError
from oz_installer.tui.widgets.choice import Choice
from oz_installer.tui.widgets.field import Field
from tests.tui import support
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM, POC, finding
from tests.tui.support import Driver, app_of, check_golden, press, settle, text_of, wizard

CANARY = "canary-Zx9!pass"


def fields(pilot: Driver) -> set[str]:
    """Return the questions whose fields are shown."""
    found = support.step_of(pilot).query(Field).results(Field)
    return {one.key.rpartition(".")[2] for one in found if one.display}


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).split())


def answers(pilot: Driver) -> dict[str, object]:
    """The section of the step that is open."""
    found: dict[str, object] = app_of(pilot).session.working.values.get(support.step_of(pilot).STEP, {})
    return found


# --- database ---------------------------------------------------------------------------------------
async def test_a_bundled_database_is_offered_for_poc_with_the_warning() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="database") as pilot:
        assert "For PoC and tests only" in words(pilot)
        assert fields(pilot) == {"name", "user", "password"}
        await press(pilot, "left")
        assert "For PoC" not in words(pilot)
        assert fields(pilot) >= {"host", "port", "sslmode"}
        await press(pilot, "tab", "=db.example.com")
        assert answers(pilot) == {"host": "db.example.com"}
        await press(pilot, "shift+tab", "right")
        assert answers(pilot) == {}
        await press(pilot, "left")
        assert answers(pilot) == {"host": "db.example.com"}


async def test_a_host_that_is_typed_anew_is_still_one_of_ones_own() -> None:
    """Emptied, it is missing; the database does not become a bundled one."""
    text = POC + "database: {host: db.example.com, password: {env: OZ_DB_PASSWORD}}\n"
    core = FakeCore({ANSWERS: text})
    async with wizard(core, path=ANSWERS, step="database") as pilot:
        support.step_of(pilot).focus_key("database.host")
        await press(pilot, "end", "ctrl+u")
        assert "(•) your own server" in words(pilot)
        assert "host" in fields(pilot)
        assert support.step_of(pilot).focused_key() == "database.host"
        assert [one.key for one in app_of(pilot).session.problems("database")] == ["database.host"]
        assert "! Host is missing" in words(pilot)
        await press(pilot, "f5")
        assert "Enter the host of your PostgreSQL server first." in words(pilot)
        assert not support.step_of(pilot).jobs.running("test")
        await press(pilot, "=other.example.com")
        assert answers(pilot)["host"] == "other.example.com"
        assert app_of(pilot).session.problems("database") == ()


async def test_a_server_of_ones_own_without_a_host_is_not_done_even_in_a_draft() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="database") as pilot:
        await press(pilot, "left", "ctrl+n")
        assert app_of(pilot).session.state("database", "storage").mark == "!"
        text = app_of(pilot).session.working.yaml()
    async with wizard(FakeCore({ANSWERS: text}), path=ANSWERS, step="database") as pilot:
        assert "(•) your own server" in words(pilot)
        assert [one.key for one in app_of(pilot).session.problems("database")] == ["database.host"]
        await press(pilot, "shift+tab", "right")
        assert "(•) bundled" in words(pilot)
        assert answers(pilot) == {}
        assert app_of(pilot).session.problems("database") == ()


async def test_a_bundled_database_is_not_for_medium() -> None:
    text = MEDIUM.replace("database: {host: db.example.com, password: {env: OZ_DB_PASSWORD}}\n", "")
    async with wizard(FakeCore({ANSWERS: text}), path=ANSWERS, step="database", size=(80, 24)) as pilot:
        assert "needs an external PostgreSQL server" in words(pilot)
        assert "host" in fields(pilot)
        choice = support.step_of(pilot).query_one("#mode Choice", Choice)
        assert choice.options[1].barred
        choice.focus()
        await press(pilot, "right", "space")
        assert choice.chosen == ("external",)


async def test_the_database_is_tested_from_every_api_node() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    wrong = finding(
        "Database", "api2", "failure", "password authentication failed", hint="Correct the password."
    )
    core.outside.findings = [finding("Database", "api1", "ok", "PostgreSQL 16.4"), wrong]
    async with wizard(core, path=ANSWERS, step="database") as pilot:
        await press(pilot, "f5")
        assert "ok Database on api1: PostgreSQL 16.4" in words(pilot)
        assert "FAILURE Database on api2: password authentication failed" in words(pilot)
        assert "Correct the password." in words(pilot)
        check_golden("database-tested", pilot)
        support.step_of(pilot).focus_key("database.port")
        await press(pilot, "=5433")
        assert "changed since this test" in words(pilot)
        core.outside.findings = core.outside.findings[:1]
        await press(pilot, "f5")
        assert "FAILURE" not in words(pilot)
        assert "Tested: ok." in words(pilot)


async def test_a_test_that_cannot_be_made_says_why() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.failure = AnswersError("no node has the role api yet", "Add the nodes first.")
    for step in ("database", "storage"):
        async with wizard(core, path=ANSWERS, step=step) as pilot:
            await press(pilot, "f5")
            assert "no node has the role api yet" in words(pilot)
            assert "Add the nodes first." in words(pilot)


@pytest.mark.parametrize("step", ["database", "storage"])
async def test_leaving_stops_the_test(step: str) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.findings = [finding("Database", "api1", "ok", "fine")]
    core.outside.pace = 600.0
    async with wizard(core, path=ANSWERS, step=step) as pilot:
        screen = support.step_of(pilot)
        await pilot.press("f5")
        await pilot.pause()
        assert screen.jobs.running("test")
        await press(pilot, "ctrl+n")
        assert not screen.jobs.running("test")
        await press(pilot, "ctrl+b")
        assert "[ Stop" not in text_of(pilot)
        await pilot.press("f5")
        await pilot.pause()
        assert "[ Stop" in text_of(pilot)
        await press(pilot, "f5")
        assert "Stopped." in text_of(pilot)
        await pilot.press("f5")
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert not app_of(pilot).is_running


async def test_a_database_password_is_on_no_screen_and_in_no_export() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="database") as pilot:
        support.step_of(pilot).focus_key("database.password")
        await press(pilot, "shift+tab", "left", "tab", f"={CANARY}")
        working = app_of(pilot).session.working
        assert working.get("database.password").kind == "plain"
        shown = text_of(pilot) + pilot.app.export_screenshot()
        assert CANARY not in shown + repr(working) + working.yaml() + working.yaml(masked=True)


async def test_every_fault_that_is_counted_is_marked() -> None:
    text = MEDIUM.replace(", password: {env: OZ_DB_PASSWORD}", ", port: 99999")
    async with wizard(FakeCore({ANSWERS: text}), path=ANSWERS, step="database", size=(80, 48)) as pilot:
        app_of(pilot).go("database")
        await settle(pilot)
        assert "! 2 here" in words(pilot)
        assert "! Port should be from 1 to 65535" in words(pilot)
        assert "! Password is needed for an external database" in words(pilot)


async def test_a_step_that_was_left_marks_what_it_counts() -> None:
    async with wizard(step="database", size=(80, 48)) as pilot:
        support.step_of(pilot).focus_key("database.host")
        await press(pilot, "=db.example.com")
        assert "Password is needed" not in words(pilot), "its turn has not come yet"
        await press(pilot, "ctrl+n", "ctrl+b")
        assert "! 1 here" in words(pilot)
        assert "! Password is needed for an external database" in words(pilot)


# --- storage ----------------------------------------------------------------------------------------
async def test_only_the_fields_of_the_chosen_type() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="storage") as pilot:
        assert "Shared storage is needed: api1 and api2 both run the API" in words(pilot)
        assert fields(pilot) == {"type", "server", "export", "options"}
        await press(pilot, "right")
        assert fields(pilot) == {"type", "path"}
        assert answers(pilot) == {"type": "path"}
        await press(pilot, "tab", "=/mnt/oz", "shift+tab", "left")
        assert answers(pilot) == {"type": "nfs", "server": "nfs.example.com", "export": "/srv/oz"}
        await press(pilot, "right")
        assert answers(pilot) == {"type": "path", "path": "/mnt/oz"}
        await press(pilot, "right")
        assert answers(pilot)["type"] == "path", "a local folder is barred"


async def test_a_type_is_chosen_and_answered_before_it_is_judged() -> None:
    """Keys are faster than validation: the field that a choice has just opened is next at once."""
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="storage") as pilot:
        await press(pilot, "right", "enter", "=/mnt/oz")
        assert answers(pilot) == {"type": "path", "path": "/mnt/oz"}


async def test_one_api_node_needs_no_shared_storage() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="storage") as pilot:
        assert "Shared storage is not needed: only one runs the API" in words(pilot)
        assert fields(pilot) == {"type"}


async def test_errors_stand_under_the_field_and_pasted_lines_are_cut() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="storage") as pilot:
        support.step_of(pilot).focus_key("storage.export")
        await settle(pilot)
        await press(pilot, "home", "shift+end", "backspace", "=srv")
        assert "! NFS export" in words(pilot)
        await press(pilot, "home", "shift+end", "backspace")
        assert pilot.app.focused is not None
        pilot.app.focused.post_message(events.Paste("\n/srv/media\n/srv/other\n"))
        await settle(pilot)
        assert answers(pilot)["export"] == "/srv/media"
        pilot.app.focused.post_message(events.Paste("/" + "x" * 10_000))
        await settle(pilot)
        assert max(len(line) for line in text_of(pilot).splitlines()) <= 120


async def test_a_fault_in_a_hidden_field_is_shown() -> None:
    text = MEDIUM.replace("type: nfs,", "type: path,")
    async with wizard(FakeCore({ANSWERS: text}), path=ANSWERS, step="storage") as pilot:
        assert "is not used by storage of type path" in words(pilot)
        assert {"server", "export", "path"} <= fields(pilot)


# --- looks ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", support.SIZES)
@pytest.mark.parametrize("step", ["database", "storage"])
async def test_how_it_looks(step: str, size: tuple[int, int]) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step=step, size=size) as pilot:
        check_golden(step, pilot)


async def test_how_a_bundled_database_looks() -> None:
    async with wizard(FakeCore({ANSWERS: POC}), path=ANSWERS, step="database", size=(80, 24)) as pilot:
        check_golden("database-bundled", pilot)
