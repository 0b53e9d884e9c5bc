"""Stop and exit while nodes are being connected to: the job is stopped, the step is usable again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oz_installer.errors import Interrupted
from tests.tui.running import PATH, RunCore
from tests.tui.support import PATIENCE, app_of, confirm, press, settle, step_of, text_of, until, wizard

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.checks.context import Finding
    from oz_installer.deploy.events import EmitEvent
    from oz_installer.deploy.plan import Plan
    from oz_installer.installation.prepare import Prepared
    from oz_installer.topology.summary import Summary


class Silent(RunCore):
    """Nodes that never answer one call of the core: only a stop ends it."""

    def __init__(self, silent_at: str = "prepare") -> None:
        super().__init__()
        self.silent_at = silent_at
        self.waiting = threading.Event()
        self.stopped = threading.Event()

    def _answer(self, call: str, stop: threading.Event) -> None:
        if call == self.silent_at:
            self.waiting.set()
            assert stop.wait(PATIENCE), "nobody stops it"
            self.stopped.set()
            raise Interrupted("stopped at your request", "Run the same command again to resume.")

    def prepare(
        self,
        path: Path,
        stop: threading.Event,
        emit: EmitEvent | None = None,
        working: WorkingCopy | None = None,
    ) -> Prepared:
        """Wait for the stop."""
        self._answer("prepare", stop)
        return super().prepare(path, stop, emit, working)

    def with_diffs(self, prepared: Prepared, stop: threading.Event) -> Plan:
        """Wait for the stop."""
        self._answer("with_diffs", stop)
        return super().with_diffs(prepared, stop)

    def summarise(self, prepared: Prepared, stop: threading.Event) -> Summary:
        """Wait for the stop."""
        self._answer("summarise", stop)
        return super().summarise(prepared, stop)

    def check(
        self,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: threading.Event,
        working: WorkingCopy | None = None,
    ) -> None:
        """Wait for the stop, which is no error of ``check``."""
        self.waiting.set()
        assert stop.wait(PATIENCE), "nobody stops it"
        self.stopped.set()


async def test_the_checks_are_stopped_while_they_connect() -> None:
    core = Silent()
    async with wizard(core, path=PATH, step="preflight") as pilot:
        step_of(pilot).query_one("#run").focus()
        await pilot.press("enter")
        await until(pilot, core.waiting.is_set)
        await pilot.press("enter")
        await settle(pilot)
        assert core.stopped.is_set()
        assert "Stopped early." in text_of(pilot)
        assert "[ Run again ]" in text_of(pilot)


async def test_an_installation_is_stopped_while_it_connects() -> None:
    core = Silent()
    async with wizard(core, path=PATH, step="install") as pilot:
        step_of(pilot).query_one("#run").focus()
        await press(pilot, "enter")
        await confirm(pilot)
        await until(pilot, core.waiting.is_set)
        await pilot.press("enter")
        await until(pilot, lambda: "Stop it?" in text_of(pilot))
        await press(pilot, "shift+tab", "enter")
        assert core.stopped.is_set()
        assert "stopped at your request; nothing was changed" in text_of(pilot)
        assert "Start the installation again to continue." in text_of(pilot)
        assert "[ Try again ]" in text_of(pilot)
        assert not app_of(pilot).leaving.held


@pytest.mark.parametrize(
    ("step", "button", "silent_at"),
    [
        ("review", "compare", "prepare"),
        ("review", "compare", "with_diffs"),
        ("done", "look", "prepare"),
        ("done", "look", "summarise"),
        ("preflight", "run", "check"),
    ],
)
async def test_leaving_waits_for_no_silent_node(step: str, button: str, silent_at: str) -> None:
    core = Silent(silent_at)
    async with wizard(core, path=PATH, step="review") as pilot:
        app_of(pilot).go(step)
        await settle(pilot)
        step_of(pilot).query_one(f"#{button}").focus()
        await pilot.press("enter")
        await until(pilot, core.waiting.is_set)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app_of(pilot).is_running)
        assert core.stopped.wait(PATIENCE / 2)
    assert core.prepared.closed == (silent_at in ("with_diffs", "summarise"))


async def test_what_is_installed_is_installed_although_nobody_waits_for_the_last_look() -> None:
    core = Silent("summarise")
    async with wizard(core, path=PATH, step="install") as pilot:
        step_of(pilot).query_one("#run").focus()
        await press(pilot, "enter")
        await confirm(pilot)
        await until(pilot, core.waiting.is_set)
        step_of(pilot).query_one("#run").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "Stop it?" in text_of(pilot))
        await press(pilot, "shift+tab", "enter")
        await press(pilot, "ctrl+n")
        shown = " ".join(text_of(pilot).split())
        assert "Everything is installed; its status is unknown: stopped at your request" in shown
