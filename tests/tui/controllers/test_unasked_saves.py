"""Commands that only read do not change an answers file without asking."""

from __future__ import annotations

import pytest

from tests.tui.running import ANSWERS, PATH, RunCore
from tests.tui.support import app_of, press, settle, step_of, text_of, wizard


@pytest.mark.parametrize(("step", "button"), [("review", "compare"), ("preflight", "run")])
async def test_what_only_reads_saves_nothing(step: str, button: str) -> None:
    core = RunCore()
    async with wizard(core, path=PATH, step=step) as pilot:
        step_of(pilot).query_one(f"#{button}").focus()
        await press(pilot, "enter")
        assert core.outside.unsaved == [None], "the file has all"
        app_of(pilot).change("components.statistic", False)
        await settle(pilot)
        step_of(pilot).query_one(f"#{button}").focus()
        await press(pilot, "enter")
        (_, unsaved) = core.outside.unsaved
        assert unsaved is not None
        assert unsaved.get("components.statistic") is False
        assert (core.files[PATH], core.kept) == (ANSWERS, {})
        assert app_of(pilot).session.has_unsaved_changes


@pytest.mark.parametrize(("step", "button"), [("review", "compare"), ("preflight", "run")])
async def test_a_file_of_that_name_is_not_taken_for_ones_own(step: str, button: str) -> None:
    """Its generated passwords lie beside it: they are those of another installation."""
    core = RunCore()
    async with wizard(core, path=PATH, step=step) as pilot:
        app_of(pilot).session.is_file = False
        app_of(pilot).change("components.statistic", False)
        await settle(pilot)
        step_of(pilot).query_one(f"#{button}").focus()
        await press(pilot, "enter")
        assert core.outside.unsaved == []
        assert "Save" in text_of(pilot)
