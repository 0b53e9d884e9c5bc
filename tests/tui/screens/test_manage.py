"""Manage an installation: status, pending changes, and commands for the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from oz_installer.errors import ConnectError
from oz_installer.tui.dialogs.open import OpenDialog
from tests.tui.running import ANSWERS, PATH, PLAN, RunCore
from tests.tui.support import Driver, app_of, press, step_of, text_of, wizard


async def manage(pilot: Driver) -> None:
    """Choose it in the menu, and open the file."""
    await press(pilot, "down", "down", "enter")
    assert isinstance(pilot.app.screen, OpenDialog)
    await press(pilot, f"={PATH}", "enter")


async def test_managing_shows_what_runs_what_would_change_and_the_commands() -> None:
    core = RunCore()
    async with wizard(core) as pilot:
        await manage(pilot)
        assert step_of(pilot).STEP == "done"
        assert "Pending changes: 1 file changes, 1 service restarts" in text_of(pilot)
        assert "oz-bio" in text_of(pilot)
        step_of(pilot).query_one("#runs").focus()
        await press(pilot, "end")
        for command in ("status", "logs SERVICE", "check", "plan"):
            assert f"  {command} " in text_of(pilot)
        assert f"oz-install COMMAND --answers {PATH}" in text_of(pilot)
    assert core.prepared.closed == 1
    assert core.prepared.steps == [], "nothing is changed"


async def test_opening_a_file_connects_to_nobody() -> None:
    core = RunCore()
    async with wizard(core) as pilot:
        await press(pilot, "down", "enter", f"={PATH}", "enter")
        assert step_of(pilot).STEP == "review"
        app_of(pilot).go("done")
        await press(pilot)
        assert "Nothing has been installed in this session." in text_of(pilot)
    assert core.prepared.closed == 0


async def test_nodes_that_cannot_be_reached_and_looking_again() -> None:
    core = RunCore()
    core.outside.failure = ConnectError("no answer on port 22", "Is it on?", node="bio1")
    async with wizard(core) as pilot:
        await manage(pilot)
        assert "bio1: no answer on port 22" in text_of(pilot)
        core.outside.failure = None
        core.outside.plan = replace(PLAN, targets=PLAN.targets[1:])
        step_of(pilot).query_one("#look").focus()
        await press(pilot, "enter")
        assert "Pending changes: Nothing to do on 2 nodes." in text_of(pilot)


async def test_no_command_for_a_file_that_was_never_written() -> None:
    async with wizard(RunCore(), step="done") as pilot:
        assert "oz-install --answers" not in text_of(pilot)
        assert "Save the answers first" in text_of(pilot)
        assert step_of(pilot).query_one("#copy").disabled
    core = RunCore()
    core.files = {Path("/home/admin/other.yml"): ANSWERS}
    async with wizard(core, path=Path("/home/admin/other.yml"), step="done") as pilot:
        assert "oz-install --answers /home/admin/other.yml" in text_of(pilot)
