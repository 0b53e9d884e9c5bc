"""A preflight that is stopped or whose answers are edited, and the log of each node during a run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.checks.context import Finding
from oz_installer.errors import DeployError
from oz_installer.tui.timer import OneShotTimer
from tests.tui.running import GOOD, PATH, Held, RunCore
from tests.tui.support import PATIENCE, app_of, confirm, press, settle, step_of, text_of, until, wizard


class Halfway(RunCore):
    """Reports a finding, the next one when permitted, and the rest only when it is not stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def check(
        self,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: threading.Event,
        working: WorkingCopy | None = None,
    ) -> None:
        """Wait for the stop."""
        on_finding(GOOD[0])
        assert self.go_on.wait(PATIENCE)
        on_finding(GOOD[1])
        assert stop.wait(PATIENCE)


async def test_checks_are_seen_as_they_come_and_can_be_stopped() -> None:
    core = Halfway()
    async with wizard(core, path=PATH, step="preflight") as pilot:
        step_of(pilot).query_one("#run").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "Checking: 1 check: 1 ok" in text_of(pilot))
        assert "8 cores" in text_of(pilot)
        assert "180 GB free" not in text_of(pilot)
        core.go_on.set()
        await until(pilot, lambda: "Checking: 2 checks: 2 ok" in text_of(pilot))
        assert "180 GB free" in text_of(pilot)
        assert "[ Stop ]" in text_of(pilot)
        await press(pilot, "enter")
        assert "Stopped early. 2 checks: 2 ok" in text_of(pilot)
        assert "8 cores" in text_of(pilot)
        assert "[ Run again ]" in text_of(pilot)
        assert not app_of(pilot).session.ready


class FailsBehindAFinding(RunCore):
    """Reports a finding and fails before it can have been drawn."""

    def check(
        self,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: threading.Event,
        working: WorkingCopy | None = None,
    ) -> None:
        """Fail at once."""
        on_finding(GOOD[0])
        raise DeployError("api1 does not answer", "Start it, then run the checks again.", node="api1")


async def test_a_finding_that_is_drawn_late_does_not_hide_why_the_checks_failed() -> None:
    async with wizard(FailsBehindAFinding(), path=PATH, step="preflight") as pilot:
        step_of(pilot).query_one("#run").focus()
        await press(pilot, "enter")
        passed = asyncio.Event()
        OneShotTimer(step_of(pilot), 0.15, passed.set)  # behind that of the finding
        await asyncio.wait_for(passed.wait(), PATIENCE)
        await settle(pilot)
        assert "The checks could not run." in text_of(pilot)
        assert "Start it, then run the checks again." in text_of(pilot)


async def test_findings_of_older_answers_are_told_to_be_so() -> None:
    async with wizard(RunCore(), path=PATH, step="preflight") as pilot:
        await press(pilot, "enter")
        assert app_of(pilot).session.ready
        app_of(pilot).change("workload.apm", 12.0)
        await settle(pilot)
        assert "The answers have changed since; run again." in text_of(pilot)
        assert not app_of(pilot).session.ready


async def test_the_log_is_that_of_the_chosen_node() -> None:
    core = Held()
    async with wizard(core, path=PATH, step="install") as pilot:
        await pilot.press("enter")
        await confirm(pilot)
        await until(pilot, lambda: "the registry is slow" in text_of(pilot))
        assert "Log of api1" in text_of(pilot)
        step_of(pilot).query_one("#lanes").focus()
        await pilot.press("down")
        await until(pilot, lambda: "Log of bio1" in text_of(pilot))
        assert "the registry is slow" not in text_of(pilot), "that was api1's"
        core.go_on.set()
        await settle(pilot)
        step_of(pilot).query_one("#lanes").focus()
        await press(pilot, "up")  # now that no clock paints it every half second
        assert "Log of api1" in text_of(pilot)
        assert "the registry is slow" in text_of(pilot)
