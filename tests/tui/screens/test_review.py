"""Review: a comparison is valid for the answers that were compared, and for no others."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.tui.running import PATH, RunCore
from tests.tui.support import PATIENCE, app_of, press, settle, step_of, text_of, until, wizard

if TYPE_CHECKING:
    from oz_installer.deploy.plan import Plan
    from oz_installer.installation.prepare import Prepared

STALE = "The answers have changed since; compare again."


class Slow(RunCore):
    """Compares for as long as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def with_diffs(self, prepared: Prepared, stop: threading.Event) -> Plan:
        """Wait."""
        assert self.go_on.wait(PATIENCE)
        return super().with_diffs(prepared, stop)


async def test_answers_that_are_edited_while_they_are_compared() -> None:
    core = Slow()
    async with wizard(core, path=PATH, step="review") as pilot:
        step_of(pilot).query_one("#compare").focus()
        await pilot.press("enter")
        await until(pilot, lambda: step_of(pilot).jobs.running("compare"))
        app_of(pilot).change("workload.apm", 12.0)
        core.go_on.set()
        await settle(pilot)
        assert STALE in text_of(pilot)
        assert "WORKERS=4" not in text_of(pilot)
        await press(pilot, "ctrl+s", "enter")
        assert "WORKERS=4" in text_of(pilot), "saved, and compared again"
        assert STALE not in text_of(pilot)


async def test_answers_that_are_edited_after_they_were_compared() -> None:
    core = Slow()
    core.go_on.set()
    async with wizard(core, path=PATH, step="review") as pilot:
        step_of(pilot).query_one("#compare").focus()
        await press(pilot, "enter")
        assert "WORKERS=4" in text_of(pilot)
        app_of(pilot).change("workload.apm", 12.0)
        await settle(pilot)
        assert STALE in text_of(pilot)
        assert "WORKERS=4" not in text_of(pilot)
