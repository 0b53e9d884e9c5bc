"""What follows a save: an installation, another save, the exit."""

from __future__ import annotations

import threading
from pathlib import Path

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.errors import AnswersError
from oz_installer.tui.dialogs.help import HelpDialog
from tests.tui.controllers.test_files import COMPLETE, HERE
from tests.tui.controllers.test_saving import OTHER, SlowCore
from tests.tui.fake_core import FakeCore
from tests.tui.support import PATIENCE, Driver, app_of, left, press, settle, text_of, until, wizard


class OneByOne(FakeCore):
    """Blocks each save until the test permits it."""

    def __init__(self, files: dict[Path, str]) -> None:
        super().__init__(files)
        self.let = threading.Semaphore(0)
        self.begun = 0

    def save_answers(
        self, working: WorkingCopy, path: Path, source: str | None = None, opened: Path | None = None
    ) -> WorkingCopy:
        """Wait for the test, then do as the base class."""
        self.begun += 1
        assert self.let.acquire(timeout=PATIENCE)
        return super().save_answers(working, path, source, opened)


async def test_an_installation_begins_behind_its_own_save_and_not_behind_one_before() -> None:
    core, begun = OneByOne({HERE: COMPLETE}), list[object]()
    async with wizard(core, path=HERE, step="workload") as pilot:
        saves = app_of(pilot).saves
        await pilot.press("1", "ctrl+s")
        await until(pilot, lambda: core.begun == 1)
        await pilot.press("2")
        await until(pilot, lambda: app_of(pilot).session.working.get("workload.apm") == 12)
        saves.save(lambda: begun.append(core.kept[HERE].get("workload.apm")))
        core.let.release()
        await until(pilot, lambda: core.begun == 2)
        assert core.kept[HERE].get("workload.apm") == 1
        assert begun == []
        core.let.release()
        await settle(pilot)
        assert begun == [12]


async def test_nothing_begins_behind_a_save_that_failed() -> None:
    core, begun = OneByOne({HERE: COMPLETE}), list[str]()
    core.refused[HERE] = AnswersError("the disk is full", "make room")
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await until(pilot, lambda: core.begun == 1)
        app_of(pilot).saves.save(lambda: begun.append("install"))
        core.let.release(2)
        await settle(pilot)
        assert core.begun == 2
        assert begun == []


async def test_what_is_being_written_is_not_called_saved_though_the_screen_shows_the_file_again() -> None:
    """Otherwise an installation would read a file that is being written."""
    core = OneByOne({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await until(pilot, lambda: core.begun == 1)
        await pilot.press("backspace")
        await until(pilot, lambda: not app_of(pilot).session.has_unsaved_changes)
        assert not app_of(pilot).saves.all_saved
        core.let.release()
        await settle(pilot)


async def test_a_save_behind_one_that_went_elsewhere_goes_there_too() -> None:
    core = OneByOne({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        saves = app_of(pilot).saves
        await pilot.press("1")
        await until(pilot, lambda: app_of(pilot).session.has_unsaved_changes)
        saves.save_as(OTHER)
        await until(pilot, lambda: core.begun == 1)
        saves.save()
        core.let.release(2)
        await settle(pilot)
        assert core.begun == 2
        assert app_of(pilot).session.path == OTHER
        assert HERE not in core.kept


class SlowToRead(FakeCore):
    """Blocks reading the file just written until the test permits it."""

    def __init__(self, files: dict[Path, str]) -> None:
        super().__init__(files)
        self.let = threading.Event()

    def read(self, path: Path) -> tuple[WorkingCopy, str]:
        """Wait for the test once something was saved, then do as the base class."""
        assert not self.kept or self.let.wait(PATIENCE)
        return super().read(path)


async def test_no_draft_outlives_the_save_that_holds_its_answers() -> None:
    core = SlowToRead({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await until(pilot, lambda: f"drop {HERE}" in core.calls)
        app_of(pilot).drafts.draft_now()
        await until(pilot, lambda: HERE in core.drafted)
        core.let.set()
        await settle(pilot)
        assert app_of(pilot).saves.all_saved
        assert core.drafted == {}


async def test_nothing_begins_behind_a_save_while_the_wizard_is_being_left() -> None:
    core, then = SlowCore({HERE: COMPLETE}), list[str]()
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1")
        app_of(pilot).saves.save(lambda: then.append("install"))
        await until(pilot, core.began.is_set)
        await pilot.press("ctrl+q")
        core.let.set()
        await left(pilot)
    assert core.kept[HERE].get("workload.apm") == 1
    assert then == []


async def wait_for_other_answers(pilot: Driver, core: SlowCore) -> None:
    """Open other answers while a save is running."""
    await pilot.press("1", "ctrl+s")
    await until(pilot, core.began.is_set)
    files = app_of(pilot).files
    files._leave_for(lambda: files.open(OTHER, anyway=True))
    await until(pilot, lambda: "the others open afterwards" in text_of(pilot))


async def test_other_answers_that_wait_for_a_save_wait_for_a_dialog_too() -> None:
    core = SlowCore({HERE: COMPLETE, OTHER: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await wait_for_other_answers(pilot, core)
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app_of(pilot).screen, HelpDialog))
        core.let.set()
        await settle(pilot)
        assert HERE in core.kept
        assert isinstance(app_of(pilot).screen, HelpDialog), "nobody takes it away"
        assert app_of(pilot).session.path == HERE
        await press(pilot, "escape")
        await until(pilot, lambda: app_of(pilot).session.path == OTHER)


async def test_other_answers_are_given_up_in_words_where_a_save_asks_something() -> None:
    core = SlowCore({HERE: COMPLETE, OTHER: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await wait_for_other_answers(pilot, core)
        app_of(pilot).saves.save_as(OTHER)
        core.let.set()
        await settle(pilot)
        assert "Replace it?" in text_of(pilot)
        await press(pilot, "escape")
        assert "The file was not opened: answer the question about saving first." in text_of(pilot)
        assert app_of(pilot).session.path == HERE
