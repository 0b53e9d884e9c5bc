"""States of the steps: only a completed step is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.tui.steps import STEPS
from tests.tui.fake_core import FakeCore
from tests.tui.running import FAILURE, PATH, RunCore
from tests.tui.support import Driver, app_of, install, press, settle, step_of, wizard


def marks(pilot: Driver) -> dict[str, str]:
    """Return the mark of every step, as seen from the first one."""
    return {one.id: app_of(pilot).session.state(one.id, "").mark for one in STEPS}


async def test_checks_that_were_walked_past_are_not_done() -> None:
    async with wizard(RunCore(), path=PATH, step="preflight") as pilot:
        await press(pilot, "ctrl+n")
        await press(pilot, "ctrl+n")
        await press(pilot, "ctrl+b")
        assert [marks(pilot)[one] for one in ("preflight", "install", "done")] == ["-", "-", "-"]
        await press(pilot, "ctrl+b", "enter")
        assert marks(pilot)["preflight"] == "done"
        await press(pilot, "ctrl+n")
        await install(pilot)
        await press(pilot, "ctrl+n")
        assert [marks(pilot)[one] for one in ("preflight", "install")] == ["done", "done"]


async def test_checks_that_failed_are_not_done() -> None:
    core = RunCore()
    core.outside.findings = [FAILURE]
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await press(pilot, "enter")
        app_of(pilot).go("review")
        await settle(pilot)
        assert marks(pilot)["preflight"] == "-"


@pytest.mark.parametrize("left_at", ["workload", "database"])
async def test_what_a_draft_says_nothing_of_is_not_done(left_at: str) -> None:
    core, target = FakeCore(), Path("/home/admin/answers.yml")
    core.drafted[target] = (WorkingCopy.new().with_text("workload.apm", "5"), left_at)
    async with wizard(core) as pilot:
        app_of(pilot).files.open_draft(core.drafts()[0])
        await settle(pilot)
        assert left_at == step_of(pilot).STEP
        assert {one for one, mark in marks(pilot).items() if mark != "-"} == {"start", "workload"}
