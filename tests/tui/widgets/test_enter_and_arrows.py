"""Enter moves from field to field and then to the next step; arrows move along a row of buttons."""

from __future__ import annotations

import pytest

from oz_installer.tui.widgets.button import FlatButton
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM
from tests.tui.support import Driver, app_of, press, step_of, wizard

MOST = 40
"""No step has more fields."""


def under_the_cursor(pilot: Driver) -> str:
    """Return the label of the focused button, empty if there is none."""
    focused = pilot.app.screen.focused
    return focused.label if isinstance(focused, FlatButton) else ""


@pytest.mark.parametrize("step", ["workload", "release", "database", "storage", "access"])
async def test_enter_comes_to_next_and_never_to_back(step: str) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step=step) as pilot:
        for _ in range(MOST):
            if under_the_cursor(pilot):
                break
            await press(pilot, "enter")
        assert under_the_cursor(pilot) != "Back"
        if under_the_cursor(pilot) == "Next":
            await press(pilot, "enter")
            assert step != step_of(pilot).STEP


async def test_tab_comes_to_back_as_ever() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="release") as pilot:
        for _ in range(MOST):
            if under_the_cursor(pilot) in ("Back", "Next"):
                break
            await press(pilot, "tab")
        assert under_the_cursor(pilot) == "Back"
        await press(pilot, "right")
        assert under_the_cursor(pilot) == "Next"
        await press(pilot, "right")
        assert under_the_cursor(pilot) == "Next", "the row ends here"
        await press(pilot, "left")
        assert under_the_cursor(pilot) == "Back"


async def test_arrows_choose_the_answer_of_a_question() -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), step="workload") as pilot:
        await press(pilot, "=12")
        app_of(pilot).saves.save_as(ANSWERS)
        await press(pilot)
        assert under_the_cursor(pilot) == "Keep it"
        await press(pilot, "left")
        assert under_the_cursor(pilot) == "Replace it"
        await press(pilot, "enter")
        assert app_of(pilot).session.is_file
