"""The step Install begins only when the operator is sure."""

from __future__ import annotations

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.tui.screens.install import begin_question
from tests.tui.running import PATH, RunCore
from tests.tui.support import Driver, press, text_of, wizard


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).replace("│", " ").split())


async def test_one_enter_installs_nothing() -> None:
    """^N leads to Install, where one more Enter opens a question whose default is no."""
    core = RunCore()
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await press(pilot, "ctrl+n", "enter")
        asked = words(pilot)
        assert "Install Oz on api1, bio1 and bio2?" in asked
        assert "The checks have not been run for these answers" in asked
        await press(pilot, "enter")
        assert (core.prepared.closed, core.prepared.steps) == (0, [])
        await press(pilot, "ctrl+b", "enter")
        await press(pilot, "ctrl+n", "enter")
        assert "The checks found no failure" in words(pilot)


def test_the_question_names_no_crowd() -> None:
    working = WorkingCopy.new()
    for number in range(50):
        working = working.add_node({"name": f"n{number}"})
    assert begin_question(working, True).startswith(
        "Install Oz on n0, n1, n2, n3, n4, n5, n6, n7 and 42 more?"
    )
