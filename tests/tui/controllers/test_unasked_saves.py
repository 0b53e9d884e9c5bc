"""Commands that only read do not change an answers file without asking."""

from __future__ import annotations

import pytest

from tests.tui.running import ANSWERS, PATH, RunCore
from tests.tui.support import app_of, confirm, press, settle, step_of, text_of, wizard


@pytest.mark.parametrize(("step", "button"), [("review", "compare"), ("preflight", "run")])
async def test_an_edited_file_is_saved_only_when_that_is_wanted(step: str, button: str) -> None:
    core = RunCore()
    async with wizard(core, path=PATH, step=step) as pilot:
        app_of(pilot).change("components.statistic", False)
        await settle(pilot)
        step_of(pilot).query_one(f"#{button}").focus()
        await press(pilot, "enter")
        assert "Save first?" in " ".join(text_of(pilot).replace("│", " ").split())
        await press(pilot, "enter")
        assert (core.files[PATH], core.kept) == (ANSWERS, {})
        assert app_of(pilot).session.has_unsaved_changes
        step_of(pilot).query_one(f"#{button}").focus()
        await press(pilot, "enter")
        await confirm(pilot)
        await settle(pilot)
        assert core.kept[PATH].get("components.statistic") is False
        assert not app_of(pilot).session.has_unsaved_changes
