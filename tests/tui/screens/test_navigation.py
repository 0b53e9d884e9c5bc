"""Navigation by keys, buttons, list, palette and mouse; sizes; exit."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.questions import questions
from oz_installer.tui.screens.load import load_screen
from oz_installer.tui.steps import STEPS, keys_of, step_of
from oz_installer.tui.widgets.frame import StatusLine
from oz_installer.tui.widgets.text_input import TextInput
from oz_installer.tui.wizard_protocol import ExitGuard
from tests.tui import support
from tests.tui.by_keys import asked_now
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM
from tests.tui.support import Driver, app_of, left, press, settle, text_of, until, wizard


def test_every_question_has_one_step() -> None:
    owned = [key for step in STEPS for key in keys_of(step.id)]
    assert sorted(owned) == sorted(question.key for question in questions())
    assert step_of("nodes[3].host") == "nodes"
    assert step_of("something.new") == "access"


def test_every_step_has_its_screen() -> None:
    assert [load_screen(step.id).STEP for step in STEPS] == [step.id for step in STEPS]


async def test_forth_and_back_through_all_steps() -> None:
    async with wizard(step="workload") as pilot:
        for step in STEPS[2:]:
            await press(pilot, "ctrl+n")
            assert step.id == support.step_of(pilot).STEP
        await press(pilot, "ctrl+n")
        assert support.step_of(pilot).STEP == "done"
        for step in reversed(STEPS[:-1]):
            await press(pilot, "ctrl+b")
            assert step.id == support.step_of(pilot).STEP


async def test_the_list_of_steps() -> None:
    async with wizard(step="workload") as pilot:
        await press(pilot, "f2")
        assert "Preflight" in text_of(pilot)
        await press(pilot, "down", "down", "down", "enter")
        assert support.step_of(pilot).STEP == "database"
        await press(pilot, "f2", "escape")
        assert support.step_of(pilot).STEP == "database"


async def test_a_click_on_the_side_bar_and_on_a_key() -> None:
    async with wizard(step="workload") as pilot:
        await pilot.click("#side", offset=(5, 6))
        await settle(pilot)
        assert support.step_of(pilot).STEP == "storage"
        await pilot.click("#back")
        await settle(pilot)
        assert support.step_of(pilot).STEP == "database"


async def test_the_palette_jumps_to_a_question() -> None:
    async with wizard(step="workload") as pilot:
        await press(pilot, "ctrl+p", "=public url")
        await pilot.pause(0.2)
        await press(pilot, "enter")
        assert support.step_of(pilot).STEP == "access"
        assert support.step_of(pilot).focused_key() == "public_url"


async def choose(pilot: Driver, words: str) -> None:
    """Type into the palette and choose the first match."""
    await press(pilot, "ctrl+p", f"={words}")
    await until(pilot, lambda: text_of(pilot).lower().count(words) > 1)
    await press(pilot, "enter")


async def test_the_palette_jumps_to_a_question_of_a_node() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "down")
        await choose(pilot, "node api2: host")
        assert asked_now(pilot) == "nodes[1].host"
        await press(pilot, "escape")
        app_of(pilot).go("workload")
        await settle(pilot)
        await choose(pilot, "node api1: ssh user")
        assert asked_now(pilot) == "nodes[0].user"


@pytest.mark.parametrize(
    ("words", "step", "why"),
    [
        ("storage: path", "storage", "path is not used by storage of type nfs"),
        ("broker: user", "release", "user is not used by redis"),
    ],
)
async def test_the_palette_says_why_a_question_cannot_be_answered(words: str, step: str, why: str) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="workload") as pilot:
        await choose(pilot, words)
        assert step == support.step_of(pilot).STEP
        status = str(support.step_of(pilot).query_one("#status", StatusLine).visual)
        assert status.startswith("! ")
        assert why in status.lower()
        await choose(pilot, "workload: scenario")
        assert support.step_of(pilot).focused_key() == "scenario"


async def test_help_explains_the_field_and_the_step() -> None:
    async with wizard(step="access") as pilot:
        support.step_of(pilot).focus_key("public_url")
        await press(pilot, "f1")
        shown = " ".join(text_of(pilot).split())
        assert "URL at which users reach Oz" in shown
        assert "an http or https URL" in shown
        assert "public_url" in shown
        await press(pilot, "f1")
        assert app_of(pilot).screen is support.step_of(pilot)


@pytest.mark.parametrize("key", ["ctrl+s", "f2"])
async def test_f1_helps_in_dialogs(key: str) -> None:
    async with wizard(step="database") as pilot:
        await press(pilot, key)
        dialog = pilot.app.screen
        await press(pilot, "f1")
        assert "Help: Database" in text_of(pilot)
        await press(pilot, "escape")
        assert pilot.app.screen is dialog


@pytest.mark.parametrize("size", support.SIZES)
@pytest.mark.parametrize("key", ["f1", "f2"])
async def test_a_dialog_is_closed_by_mouse(key: str, size: tuple[int, int]) -> None:
    async with wizard(step="database", size=size) as pilot:
        await press(pilot, key)
        assert pilot.app.screen is not support.step_of(pilot)
        await pilot.click("#close")
        await settle(pilot)
        assert pilot.app.screen is support.step_of(pilot)


async def test_dark_and_light() -> None:
    async with wizard() as pilot:
        before = app_of(pilot).current_theme.dark
        await press(pilot, "ctrl+t")
        assert app_of(pilot).current_theme.dark is not before


async def test_every_step_has_the_colours_that_were_chosen_on_another() -> None:
    def colours() -> set[str]:
        return {one.styles.background.hex for one in support.step_of(pilot).query(TextInput)}

    async with wizard(step="database") as pilot:
        before = colours()
        await press(pilot, "ctrl+n", "ctrl+t", "ctrl+b")
        assert before
        assert before.isdisjoint(colours())
        await press(pilot, "ctrl+n", "ctrl+t", "ctrl+b")
        assert colours() == before


async def test_a_small_terminal_says_what_it_needs() -> None:
    async with wizard(step="access", size=(40, 10)) as pilot:
        assert "This terminal is 40 x 10" in text_of(pilot)
        assert "60 x 20" in text_of(pilot)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "Public URL" in text_of(pilot)
        await pilot.resize_terminal(59, 24)
        await settle(pilot)
        assert "This terminal is 59 x 24" in text_of(pilot)


@pytest.mark.parametrize(("key", "code"), [("ctrl+q", 0), ("ctrl+c", 130)])
async def test_leaving_keeps_a_draft(key: str, code: int) -> None:
    core = FakeCore()
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12")
        await pilot.press(key)
        outcome = await left(pilot)
    assert (outcome.code, outcome.draft_of) == (code, Path("/home/admin/answers.yml"))
    kept, step = core.drafted[Path("/home/admin/answers.yml")]
    assert (kept.get("workload.apm"), step) == (12, "workload")


async def test_nothing_typed_leaves_no_draft() -> None:
    core = FakeCore()
    async with wizard(core, step="workload") as pilot:
        await pilot.press("ctrl+q")
        await left(pilot)
    assert core.drafted == {}


async def test_ctrl_c_copies_what_is_selected() -> None:
    async with wizard(step="workload") as pilot:
        await press(pilot, "=123", "shift+left", "ctrl+c")
        assert pilot.app.clipboard == "3"
        assert pilot.app.is_running


async def test_leaving_asks_while_something_is_held() -> None:
    stopped: list[bool] = []
    async with wizard(step="workload") as pilot:
        app = app_of(pilot)
        app.leaving.hold(ExitGuard(question="An installation is running.", stop=lambda: stopped.append(True)))
        await press(pilot, "ctrl+q")
        assert "An installation is running" in text_of(pilot)
        await press(pilot, "enter")
        assert not stopped
        await press(pilot, "ctrl+c", "shift+tab", "enter")
        assert stopped
        assert app.is_running
        app.leaving.release()
        await pilot.press("ctrl+q")
        await left(pilot)
