"""F1 shows the help of every step, and closes by key and by mouse."""

from __future__ import annotations

import pytest

from oz_installer.tui.dialogs.help import HelpDialog
from oz_installer.tui.steps import STEPS
from tests.tui.by_mouse import click
from tests.tui.running import PATH, RunCore
from tests.tui.support import SIZES, Driver, app_of, press, settle, step_of, text_of, wizard


def help_text(pilot: Driver) -> str:
    """Return the text of the help, without its frame."""
    dialog = pilot.app.screen
    assert isinstance(dialog, HelpDialog), text_of(pilot)
    return " ".join(str(part.render()) for part in dialog.query(".help-part").results())


@pytest.mark.parametrize("size", SIZES)
async def test_every_step_has_its_page_and_a_way_back(size: tuple[int, int]) -> None:
    async with wizard(RunCore(), path=PATH, step="start", size=size) as pilot:
        for step in STEPS:
            app_of(pilot).go(step.id)
            await settle(pilot)
            here, cursor = step_of(pilot), step_of(pilot).focused
            await press(pilot, "f1")
            assert f"Help: {step.title}" in text_of(pilot)
            assert step.help in help_text(pilot)
            assert "next and previous step" in help_text(pilot)
            await press(pilot, "f1")
            assert pilot.app.screen is here, "the same key closes it"
            await press(pilot, "f1", "escape")
            assert pilot.app.screen is here
            await click(pilot, "F1 Help")
            assert f"Help: {step.title}" in text_of(pilot)
            await click(pilot, "[ Close Esc ]")
            assert pilot.app.screen is here
            assert here.focused is cursor, "the cursor is where it was"
