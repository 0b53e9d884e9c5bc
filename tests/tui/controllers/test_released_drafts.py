"""Drafts of answers that were left or declined: who owns them, and how long they are offered."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from oz_installer.answers.drafts.store import SavedDraft, list_drafts, release_draft
from oz_installer.answers.drafts.working_copy import WorkingCopy
from tests.tui.controllers.test_files import COMPLETE, HERE
from tests.tui.controllers.test_saving import SlowCore
from tests.tui.fake_core import FakeCore, FilesCore
from tests.tui.support import PATIENCE, Driver, app_of, press, settle, step_of, text_of, until, wizard

OTHER = HERE.with_name("b.yml")
SEEN = """
from oz_installer.answers.drafts.store import list_drafts
print(*sorted(f"{one.target.name} {'held' if one.held else 'free'}" for one in list_drafts()), sep=",")
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create two answers files in a folder of their own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    for name in ("a.yml", "b.yml"):
        (tmp_path / name).write_text(COMPLETE, encoding="utf-8")
    return tmp_path / "a.yml"


def seen_elsewhere() -> str:
    """Return the drafts as another wizard sees them."""
    done = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, check=True)
    return done.stdout.strip()


async def open_file(pilot: Driver, path: Path) -> None:
    """Open a file from the first step."""
    app_of(pilot).go("start")
    await settle(pilot)
    app_of(pilot).files._leave_for(lambda: app_of(pilot).files.open(path, "workload"))
    await settle(pilot)


async def test_a_draft_is_let_go_of_when_other_answers_are_opened(path: Path) -> None:
    async with wizard(FilesCore(), path=path, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
        assert seen_elsewhere() == "a.yml held"
        await open_file(pilot, path.with_name("b.yml"))
        await press(pilot, "=7", "ctrl+n")
        assert app_of(pilot).session.path.name == "b.yml"
        assert seen_elsewhere() == "a.yml free,b.yml held"
        app_of(pilot).files.begin()
        await settle(pilot)
        assert seen_elsewhere() == "a.yml free,b.yml free"


async def test_a_draft_that_is_gone_on_with_again_is_held_again(path: Path) -> None:
    async with wizard(FilesCore(), path=path, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
        await open_file(pilot, path.with_name("b.yml"))
        app_of(pilot).files.open_draft(list_drafts()[0])
        await settle(pilot)
        assert app_of(pilot).session.working.get("workload.apm") == 12
        assert seen_elsewhere() == "a.yml held"
        app_of(pilot).files.open_draft(list_drafts()[0])
        await settle(pilot)
        app_of(pilot).change("workload.apm", 13.0)
        await press(pilot, "ctrl+n")
        assert seen_elsewhere() == "a.yml held", "still one"


class SlowDrafts(FilesCore):
    """Blocks the writing of a draft until the test permits it."""

    def __init__(self) -> None:
        super().__init__()
        self.let, self.begun = threading.Event(), 0
        self.let.set()

    def save_draft(self, working: WorkingCopy, target: Path, step: str) -> SavedDraft:
        """Wait for the test, then do as the base class."""
        self.begun += 1
        assert self.let.wait(PATIENCE)
        return super().save_draft(working, target, step)


async def test_a_draft_that_is_still_being_kept_when_it_is_opened_again_is_held(path: Path) -> None:
    core = SlowDrafts()
    async with wizard(core, path=path, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
        (kept,) = list_drafts()
        core.let.clear()
        before = core.begun
        app_of(pilot).change("workload.apm", 13.0)
        app_of(pilot).drafts.draft_now()
        await until(pilot, lambda: core.begun > before)
        app_of(pilot).files._open_draft(kept)
        await until(pilot, lambda: app_of(pilot).session.working.get("workload.apm") == 12)
        core.let.set()
        await settle(pilot)
        app_of(pilot).change("workload.apm", 14.0)
        await press(pilot, "ctrl+n")
        assert seen_elsewhere() == "a.yml held", "still one"


async def test_a_draft_that_was_declined_is_gone_once_the_answers_are_saved(path: Path) -> None:
    async with wizard(FilesCore(), path=path, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
    release_draft(path)  # that wizard has exited
    (old,) = list_drafts()
    async with wizard(FilesCore(), path=path, step="workload") as pilot:
        assert "There is a draft of" in text_of(pilot)
        await press(pilot, "enter", "=7", "ctrl+n")
        assert old in list_drafts(), "nothing is saved yet"
        assert len(list_drafts()) == 2
        await press(pilot, "ctrl+s")
        assert list_drafts() == ()


async def test_a_draft_that_was_declined_in_the_same_wizard_is_not_written_over(path: Path) -> None:
    async with wizard(FilesCore(), path=path, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
        (old,) = list_drafts()
        await open_file(pilot, path)
        await press(pilot, "enter", "=7", "ctrl+n")
        assert app_of(pilot).session.working.get("workload.apm") == 7
        assert len(list_drafts()) == 2
        assert "12" in old.path.read_text(encoding="utf-8")


async def test_a_draft_that_was_declined_stays_with_its_file_when_the_answers_go_elsewhere(
    path: Path,
) -> None:
    async with wizard(FilesCore(), path=path, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
    release_draft(path)  # that wizard has exited
    async with wizard(FilesCore(), path=path, step="workload") as pilot:
        await press(pilot, "enter")
        app_of(pilot).saves.save_as(path.with_name("c.yml"))
        await settle(pilot)
        assert path.with_name("c.yml").exists()
        assert [one.target for one in list_drafts()] == [path]


async def test_other_answers_wait_for_a_save_and_what_was_typed_since_is_kept() -> None:
    """Otherwise the save would delete the draft of edits that it does not include."""
    core = SlowCore({HERE: COMPLETE, OTHER: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await until(pilot, core.began.is_set)
        await pilot.press("2")
        await until(pilot, lambda: app_of(pilot).session.working.get("workload.apm") == 12)
        app_of(pilot).files._leave_for(lambda: app_of(pilot).files.open(OTHER, anyway=True))
        await until(pilot, lambda: "still being written" in text_of(pilot))
        assert app_of(pilot).session.path == HERE
        core.let.set()
        await settle(pilot)
        await until(pilot, lambda: app_of(pilot).session.path == OTHER)
        await settle(pilot)
        assert core.kept[HERE].get("workload.apm") == 1
        assert core.drafted[HERE][0].get("workload.apm") == 12
        assert core.calls[-1] == f"let go {HERE}"


async def test_a_draft_of_what_was_edited_back_goes_when_other_answers_are_opened() -> None:
    core = FakeCore({HERE: COMPLETE, OTHER: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await press(pilot, "=1", "ctrl+n", "ctrl+b")
        assert HERE in core.drafted
        step_of(pilot).focus_key("workload.apm")
        await press(pilot, "end", "backspace")
        app_of(pilot).files._leave_for(lambda: app_of(pilot).files.open(OTHER, anyway=True))
        await settle(pilot)
        assert app_of(pilot).session.path == OTHER
        assert core.drafted == {}
