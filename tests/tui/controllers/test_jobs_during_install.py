"""During an installation no other job runs on its nodes, and none of them ends it."""

from __future__ import annotations

import pytest

from oz_installer.tui.screens.install import InstallScreen
from tests.tui.running import PATH, Held
from tests.tui.support import app_of, confirm, press, step_of, text_of, until, wizard

AT_WORK = "An installation is running"


@pytest.mark.parametrize(
    ("step", "key", "button"),
    [
        ("nodes", "t", ""),
        ("nodes", "f5", ""),
        ("database", "f5", ""),
        ("storage", "f5", ""),
        ("review", "enter", "compare"),
        ("preflight", "enter", "run"),
        ("done", "enter", "look"),
    ],
)
async def test_nothing_else_runs_on_the_nodes(step: str, key: str, button: str) -> None:
    core = Held()
    async with wizard(core, path=PATH, step="install") as pilot:
        screen = step_of(pilot)
        assert isinstance(screen, InstallScreen)
        screen.query_one("#run").focus()
        await pilot.press("enter")
        await confirm(pilot)
        await until(pilot, lambda: "pulling" in text_of(pilot))
        app_of(pilot).go(step)
        await until(pilot, lambda: step == step_of(pilot).STEP and step_of(pilot).is_mounted)
        if button:
            await until(pilot, lambda: any(not one.disabled for one in step_of(pilot).query(f"#{button}")))
            step_of(pilot).query_one(f"#{button}").focus()
        await pilot.press(key)
        await until(pilot, lambda: AT_WORK in text_of(pilot))
        core.go_on.set()
        await press(pilot)
        assert core.prepared.closed == 1
        assert not app_of(pilot).leaving.held


async def test_a_fault_in_another_job_does_not_end_it() -> None:
    core = Held()

    def broken(_post: object, _stop: object) -> None:
        raise ZeroDivisionError("c4n4ry")

    async with wizard(core, path=PATH, step="install") as pilot:
        step_of(pilot).query_one("#run").focus()
        await pilot.press("enter")
        await confirm(pilot)
        await until(pilot, lambda: "pulling" in text_of(pilot))
        app_of(pilot).jobs.start("broken", broken)
        await until(pilot, lambda: "ZeroDivisionError" in text_of(pilot))
        assert "c4n4ry" not in text_of(pilot)
        assert app_of(pilot).leaving.held
        core.go_on.set()
        await press(pilot)
        assert "Installed." in text_of(pilot)
