"""Exit waits for the disk, but not for ever, and the wizard stays usable meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oz_installer.cli.wizard import exit_warnings
from oz_installer.errors import AnswersError, ConnectError
from oz_installer.tui.app import WizardApp
from oz_installer.tui.wizard_protocol import ExitGuard
from tests.tui.controllers.test_files import COMPLETE, HERE
from tests.tui.controllers.test_saving import SlowCore
from tests.tui.fake_core import FakeCore
from tests.tui.running import PATH, RunCore
from tests.tui.support import PATIENCE, app_of, install, left, press, step_of, text_of, until, wizard

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy


class SlowDisk(FakeCore):
    """Blocks the writing of a draft until the test permits it."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()
        self.began = threading.Event()
        self.threads: list[int] = []

    def save_draft(self, working: WorkingCopy, target: Path, step: str) -> SavedDraft:
        """Wait for the test, then do as the base class."""
        self.threads.append(threading.get_ident())
        self.began.set()
        assert self.let.wait(PATIENCE)
        return super().save_draft(working, target, step)


WAYS: dict[str, Callable[[WizardApp], None]] = {
    "key": lambda app: app.leaving.leave(0),
    "signal": lambda app: app.leaving.terminal_lost(),
}


@pytest.mark.parametrize("way", WAYS)
async def test_the_wizard_lives_on_while_the_last_draft_is_written(way: str) -> None:
    core = SlowDisk()
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12")
        WAYS[way](app_of(pilot))
        await until(pilot, core.began.is_set)
        beaten: list[int] = []
        for beat in range(3):
            asyncio.get_running_loop().call_later(0.001, beaten.append, beat)
        await until(pilot, lambda: len(beaten) == 3)
        assert "Saving a draft" in text_of(pilot)
        assert core.drafted == {}
        assert app_of(pilot).return_value is None, "it left before the draft was there"
        core.let.set()
        outcome = await left(pilot)
        assert (outcome.draft_of, outcome.lost) == (HERE, "")
    assert core.drafted[HERE][0].get("workload.apm") == 12
    assert core.calls == ["draft workload"], "written once"
    assert threading.get_ident() not in core.threads


async def test_a_disk_that_does_not_answer_does_not_keep_the_wizard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oz_installer.tui.controllers.exit.PATIENCE", 0.05)
    core = SlowDisk()
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12")
        await pilot.press("ctrl+q")
        outcome = await left(pilot)
        assert (outcome.code, outcome.draft_of) == (0, None)
        assert "no draft" in outcome.lost
        assert core.drafted == {}
    core.let.set()


async def test_what_is_typed_while_the_last_draft_is_written_is_in_it() -> None:
    core = SlowDisk()
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=1")
        await pilot.press("ctrl+q")
        await until(pilot, core.began.is_set)
        await pilot.press("2")
        await until(pilot, lambda: app_of(pilot).session.working.get("workload.apm") == 12)
        core.let.set()
        await left(pilot)
    assert core.drafted[HERE][0].get("workload.apm") == 12


async def test_a_save_that_is_at_work_ends_first_and_what_was_typed_since_is_kept() -> None:
    """Otherwise the save would delete the draft of edits that it does not include."""
    core = SlowCore({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await until(pilot, core.began.is_set)
        await pilot.press("2", "ctrl+q")
        await until(pilot, lambda: app_of(pilot).session.working.get("workload.apm") == 12)
        core.let.set()
        await left(pilot)
    assert core.kept[HERE].get("workload.apm") == 1
    assert core.drafted[HERE][0].get("workload.apm") == 12


async def test_after_a_signal_what_was_held_ends_before_the_draft_is_kept() -> None:
    core, stopped = FakeCore(), list[bool]()
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12")
        leaving = app_of(pilot).leaving
        leaving.hold(ExitGuard(question="Stop?", stop=lambda: stopped.append(True)))
        leaving.terminal_lost()
        leaving.terminal_lost()
        assert stopped == [True]
        assert core.drafted == {}
        leaving.release()
        assert (await left(pilot)).code == 130
    assert core.drafted[HERE][0].get("workload.apm") == 12


async def test_a_signal_asks_nothing_where_a_key_does() -> None:
    core = FakeCore()
    core.undraftable = AnswersError("the disk is full", "make room")
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+q")
        assert "the disk is full" in text_of(pilot)
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "workload"
        app_of(pilot).leaving.terminal_lost()
        outcome = await left(pilot)
        assert (outcome.code, outcome.lost) == (130, "the disk is full")


async def test_where_saved_answers_are_is_told_after_an_installation_that_did_not_end() -> None:
    core = RunCore()
    core.outside.failure = ConnectError("api1 cannot be reached", "Look at its cable.", node="api1")
    async with wizard(core, path=PATH, step="install") as pilot:
        await install(pilot)
        assert "Try again" in text_of(pilot)
        await pilot.press("ctrl+c")
        outcome = await left(pilot)
        assert (outcome.code, outcome.draft_of, outcome.saved) == (130, None, PATH)


async def test_what_is_only_a_draft_is_not_called_saved() -> None:
    core = FakeCore({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await press(pilot, "=12")
        await pilot.press("ctrl+q")
        outcome = await left(pilot)
        assert (outcome.draft_of, outcome.saved) == (HERE, None)


@pytest.mark.parametrize(("since", "lost"), [("", ""), ("2", "no draft was saved within")])
async def test_a_save_that_does_not_end_is_not_told_as_a_lost_draft(
    since: str, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oz_installer.tui.controllers.exit.PATIENCE", 0.05)
    core = SlowCore({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await until(pilot, core.began.is_set)
        await pilot.press(*since, "ctrl+q")
        outcome = await left(pilot)
        core.let.set()
        assert (outcome.writing, outcome.draft_of, outcome.saved) == (HERE, None, None)
        assert outcome.lost.startswith(lost)
        assert bool(outcome.lost) == bool(since)
        warnings = list(exit_warnings(outcome))
        assert warnings[0].startswith(f"the wizard exited while saving: check that {HERE} holds your answers")
        assert [text.partition(":")[0] for text in warnings[1:]] == [
            "these answers were not saved and are lost"
        ] * bool(since)
