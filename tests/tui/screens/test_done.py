"""Done: it names unhealthy services and the time of the status; the table scrolls from everywhere."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from oz_installer.cli.wizard import _next_step
from tests.tui.by_mouse import click, point
from tests.tui.running import PATH, SUMMARY, RunCore
from tests.tui.support import (
    PATIENCE,
    Driver,
    app_of,
    install,
    left,
    press,
    settle,
    step_of,
    text_of,
    until,
    wizard,
)

if TYPE_CHECKING:
    from oz_installer.installation.prepare import Prepared
    from oz_installer.topology.summary import Summary

STOPPED = replace(SUMMARY, rows=(replace(SUMMARY.rows[0], state="stopped"), *SUMMARY.rows[1:]))


async def begin(pilot: Driver) -> None:
    """Open the step; nobody has looked yet."""
    app_of(pilot).go("done")
    await settle(pilot)


async def look(pilot: Driver) -> None:
    """Read status; the cursor stays on the button."""
    step_of(pilot).query_one("#look").focus()
    await press(pilot, "enter")


async def test_what_is_not_well_is_named_at_the_top() -> None:
    core = RunCore()
    core.outside.summary = STOPPED
    async with wizard(core, path=PATH, size=(80, 24)) as pilot:
        await begin(pilot)
        await look(pilot)
        assert "4 services, 1 needs attention (!)" in text_of(pilot)
        assert "! oz-api on api1: stopped" in text_of(pilot)


async def test_a_look_says_when_it_was_although_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wizard(RunCore(), path=PATH) as pilot:
        await begin(pilot)
        for at, words in ((1_700_000_000.0, "22:13:20"), (1_700_000_007.0, "22:13:27")):
            monkeypatch.setattr("oz_installer.tui.controllers.install_jobs.time", lambda at=at: at)
            await look(pilot)
            line = f"Status read at {words}."
            assert text_of(pilot).count(line) == 2, "above what was seen, and in the line above the keys"


async def test_page_down_shows_the_table_while_the_cursor_is_on_a_button() -> None:
    async with wizard(RunCore(), path=PATH, size=(80, 24)) as pilot:
        await begin(pilot)
        await look(pilot)
        assert "NODE" not in text_of(pilot)
        await press(pilot, *["pagedown"] * 5)
        assert "NODE" in text_of(pilot)
        assert "oz-bio" in text_of(pilot)
        await press(pilot, *["pageup"] * 5)
        assert "NODE" not in text_of(pilot)


class Slow(RunCore):
    """Reads the status for as long as the test wants, once ``go_on`` is cleared."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()

    def summarise(self, prepared: Prepared, stop: threading.Event) -> Summary:
        """Wait."""
        assert self.go_on.wait(PATIENCE)
        return super().summarise(prepared, stop)


async def test_the_table_is_what_runs_now() -> None:
    core = Slow()
    async with wizard(core, path=PATH, step="install") as pilot:
        await install(pilot)
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "done"
        assert "restarting" not in text_of(pilot)
        *rest, last = SUMMARY.rows
        core.outside.summary = replace(SUMMARY, rows=(*rest, replace(last, state="restarting")))
        core.go_on.clear()
        await point(pilot, "[ Read status ]")
        await until(pilot, lambda: "Connecting to the nodes ..." in text_of(pilot))
        assert "oz-bio" not in text_of(pilot), "nothing of what was"
        assert step_of(pilot).query_one("#look").disabled, "one look at a time"
        core.go_on.set()
        await settle(pilot)
        row = next(row for row in text_of(pilot).splitlines() if "bio2" in row)
        assert "restarting" in row
        assert "Connecting" not in text_of(pilot)
        core.outside.summary = SUMMARY
        await click(pilot, "[ Read status ]")
        assert "restarting" not in text_of(pilot)
        assert "oz-bio" in text_of(pilot)
    assert core.prepared.closed == 3
    assert core.prepared.steps == ["engines"], "looking changes nothing"


async def test_who_leaves_after_it_was_installed_is_not_sent_to_install() -> None:
    async with wizard(RunCore(), path=PATH, step="install") as pilot:
        await install(pilot)
        await press(pilot, "enter")
        await pilot.press("ctrl+q")
        outcome = await left(pilot)
    assert (outcome.saved, outcome.runs) == (PATH, True)
    assert _next_step(outcome) == (
        f"Your answers are in {PATH}. To run it again unattended: oz-install --answers {PATH}"
    )
