"""The step Install begins only when the operator is sure."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.deploy.events import PhaseStarted
from oz_installer.errors import Interrupted
from oz_installer.tui.screens.install import begin_question
from oz_installer.tui.session import Session
from tests.tui.running import GOOD, PATH, RunCore
from tests.tui.support import PATIENCE, Driver, app_of, confirm, press, settle, text_of, until, wizard

if TYPE_CHECKING:
    from oz_installer.deploy.events import EmitEvent
    from oz_installer.installation.prepare import Prepared


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).replace("│", " ").split())


async def test_one_enter_installs_nothing() -> None:
    """^N leads to Install, where one more Enter opens a question whose default is no."""
    core = RunCore()
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await press(pilot, "ctrl+n", "enter")
        asked = words(pilot)
        assert "Install Oz on api1, bio1 and bio2?" in asked
        assert "The checks have not been run for these answers" in asked
        await press(pilot, "enter")
        assert (core.prepared.closed, core.prepared.steps) == (0, [])
        await press(pilot, "ctrl+b", "enter")
        await press(pilot, "ctrl+n", "enter")
        assert "The checks found no failure" in words(pilot)


async def test_warnings_that_were_jumped_over_are_told_in_the_question() -> None:
    core = RunCore()
    core.outside.findings = [replace(GOOD[0], level="warning")]
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await press(pilot, "enter")
        app_of(pilot).go("install")
        await settle(pilot)
        await press(pilot, "enter")
        assert "The checks found no failure. 1 warning is not accepted." in words(pilot)


async def test_what_a_running_installation_loses_is_named_in_the_question() -> None:
    core = RunCore()
    lost = replace(
        GOOD[0], id="removal.services/api1", level="warning", seen="2 services will be removed: a and b"
    )
    core.outside.findings = [lost]
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await press(pilot, "enter")
        app_of(pilot).change("accept", ("removal.services",))
        app_of(pilot).go("install")
        await settle(pilot)
        await press(pilot, "enter")
        assert "! api1: 2 services will be removed: a and b" in words(pilot)


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_warning_stops_an_installation_that_was_not_checked_unless_accepted(accepted: bool) -> None:
    core = RunCore()
    warning = replace(GOOD[0], level="warning")
    core.outside.findings = [warning]
    async with wizard(core, path=PATH, step="install") as pilot:
        if accepted:
            app_of(pilot).change("accept", (warning.id,))
        await settle(pilot)
        await press(pilot, "enter")
        await confirm(pilot)
        assert ("engines" in core.prepared.steps) is accepted
        stopped = "1 warning not accepted; nothing was changed" in words(pilot)
        assert stopped is not accepted
        assert ("fix the warnings or accept them there" in words(pilot)) is not accepted


class SlowToRead(RunCore):
    """Nodes whose facts do not come before a stop."""

    def prepare(
        self,
        path: Path,
        stop: threading.Event,
        emit: EmitEvent | None = None,
        working: WorkingCopy | None = None,
    ) -> Prepared:
        """Wait for the stop."""
        assert emit is not None
        emit(PhaseStarted(phase="Read facts", number=2, of=2))
        assert stop.wait(PATIENCE)
        raise Interrupted("stopped at your request", "")


async def test_what_is_waited_for_before_the_plan_is_shown() -> None:
    async with wizard(SlowToRead(), path=PATH, step="install") as pilot:
        await press(pilot, "enter")
        await confirm(pilot)
        await until(pilot, lambda: "Read facts ..." in text_of(pilot))


def test_the_question_names_no_crowd() -> None:
    working = WorkingCopy.new()
    for number in range(50):
        working = working.add_node({"name": f"n{number}"})
    session = Session(None)
    session.working = working
    assert begin_question(session).startswith("Install Oz on n0, n1, n2, n3, n4, n5, n6, n7 and 42 more?")
