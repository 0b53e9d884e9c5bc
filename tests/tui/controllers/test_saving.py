"""Saving and opening run one after the other, for the right answers, without loss."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.errors import AnswersError
from oz_installer.tui.app import WizardApp
from tests.tui.controllers.test_files import COMPLETE, HERE
from tests.tui.fake_core import FakeCore, FilesCore
from tests.tui.nodes_case import MEDIUM
from tests.tui.support import app_of, press, settle, step_of, text_of, until, wizard

OTHER = HERE.with_name("b.yml")


class SlowCore(FakeCore):
    """Blocks saves until the test permits them."""

    def __init__(self, files: dict[Path, str]) -> None:
        super().__init__(files)
        self.let = threading.Event()
        self.began = threading.Event()

    def save_answers(
        self, working: WorkingCopy, path: Path, source: str | None = None, opened: Path | None = None
    ) -> WorkingCopy:
        """Wait for the test, then do as the base class."""
        self.began.set()
        self.let.wait(30)
        return super().save_answers(working, path, source, opened)


async def test_saves_are_one_after_the_other_and_the_last_one_counts() -> None:
    core = SlowCore({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await pilot.pause()
        assert core.began.wait(10)
        await pilot.press("2", "ctrl+s")
        await pilot.pause()
        assert core.calls.count(f"keep {HERE}") == 0
        core.let.set()
        for _ in range(200):
            await settle(pilot)
            if core.calls.count(f"keep {HERE}") == 2:
                break
        assert core.calls.count(f"keep {HERE}") == 2
        assert core.kept[HERE].get("workload.apm") == 12
        assert app_of(pilot).saves.all_saved


async def test_what_follows_a_save_follows_its_own_save() -> None:
    core, then = SlowCore({HERE: COMPLETE}), list[str]()
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1")
        saves = app_of(pilot).saves
        saves.save(lambda: then.append("install"))
        saves.save()
        core.let.set()
        await settle(pilot)
        assert then == ["install"]


async def test_a_save_that_ends_when_other_answers_are_open_is_not_theirs() -> None:
    core = SlowCore({HERE: COMPLETE, OTHER: MEDIUM})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await pilot.pause()
        assert core.began.wait(10)
        app_of(pilot).files.open(OTHER, anyway=True)
        await pilot.app.workers.wait_for_complete(
            [worker for worker in pilot.app.workers if worker.name == "open"]
        )
        core.let.set()
        await settle(pilot)
        assert app_of(pilot).session.path == OTHER
        assert core.kept[HERE].get("workload.apm") == 1
        assert OTHER not in core.kept


async def test_a_file_that_somebody_changed_meanwhile_is_replaced_only_when_asked() -> None:
    core = FakeCore({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        core.files[HERE] = f"{COMPLETE}# a colleague's\n"
        await press(pilot, "=12", "ctrl+s")
        assert "was changed by someone else" in text_of(pilot)
        await press(pilot, "enter")
        assert core.files[HERE].endswith("a colleague's\n")
        await press(pilot, "ctrl+s", "shift+tab", "enter")
        assert core.kept[HERE].get("workload.apm") == 12


async def test_a_file_with_a_draft_is_asked_about() -> None:
    core = FakeCore({HERE: COMPLETE})
    core.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "workload")
    async with wizard(core, path=HERE) as pilot:
        assert "There is a draft of" in text_of(pilot)
        assert "just now" in text_of(pilot)
        await press(pilot, "shift+tab", "enter")
        assert step_of(pilot).STEP == "workload"
        assert app_of(pilot).session.working.get("workload.apm") == 12


async def test_the_file_itself_may_be_wanted() -> None:
    core = FakeCore({HERE: COMPLETE})
    core.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "workload")
    async with wizard(core, path=HERE) as pilot:
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "review"
        assert app_of(pilot).session.working.get("workload.apm") is None
        assert HERE in core.drafted


async def test_other_answers_are_not_opened_where_these_would_be_lost() -> None:
    core = FakeCore()
    async with wizard(core, step="workload") as pilot:
        core.undraftable = AnswersError("the disk is full", "make room")
        await press(pilot, "=12")
        app_of(pilot).files.begin()
        await settle(pilot)
        assert "the disk is full" in text_of(pilot)
        await press(pilot, "enter")
        assert app_of(pilot).session.working.get("workload.apm") == 12
        app_of(pilot).files.begin()
        await settle(pilot)
        await press(pilot, "shift+tab", "enter")
        assert app_of(pilot).session.working.get("workload.apm") is None


async def test_typed_passwords_do_not_go_without_a_word() -> None:
    core = FakeCore({OTHER: MEDIUM})
    async with wizard(core, step="workload") as pilot:
        session = app_of(pilot).session
        session.working = session.working.with_text("admin.password", "canary-password")
        app_of(pilot).files.begin()
        await settle(pilot)
        assert "Unsaved passwords are not kept in a draft" in text_of(pilot)
        assert "canary" not in text_of(pilot)
        await press(pilot, "enter")
        assert app_of(pilot).session is session
        assert session.working.is_given("admin.password")


async def test_escape_is_the_key_of_the_answer_that_it_stands_on() -> None:
    """Otherwise unchosen answers would stay open under the name of that file."""
    core = FakeCore({HERE: COMPLETE})
    core.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "workload")
    async with wizard(core, path=HERE) as pilot:
        assert "[ Open the file Esc ]" in text_of(pilot)
        await press(pilot, "escape")
        assert app_of(pilot).session.is_file
        assert app_of(pilot).session.working.get("workload.apm") != 12
        assert HERE in core.drafted


async def test_a_file_of_the_folder_is_not_edited_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going to a step without a choice on the first one begins a new file beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "answers.yml").write_text(COMPLETE)
    app = WizardApp(FilesCore())
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.session.path == tmp_path / "answers-2.yml"
        app.go("workload")
        await settle(pilot)
        await press(pilot, "=12", "ctrl+s", "enter")
        assert "already exists" not in text_of(pilot)
    assert (tmp_path / "answers.yml").read_text() == COMPLETE
    assert "apm: 12" in (tmp_path / "answers-2.yml").read_text()


async def test_what_is_replaced_is_said_to_be_kept() -> None:
    core = FakeCore({HERE: COMPLETE})
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12")
        app_of(pilot).saves.save_as(HERE)
        await settle(pilot)
        assert "already exists. Replace it? Its" in text_of(pilot)
        assert f"current content is kept as {HERE.name}.old." in text_of(pilot)


async def test_a_draft_goes_on_though_its_file_is_broken_meanwhile() -> None:
    core = FakeCore({HERE: "version: ["})
    core.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "workload")
    async with wizard(core) as pilot:
        app_of(pilot).files.open_draft(core.drafts()[0])
        await settle(pilot)
        assert app_of(pilot).session.working.get("workload.apm") == 12
        await press(pilot, "ctrl+s", "enter")
        assert "already exists. Replace it?" in " ".join(text_of(pilot).split())


async def test_two_saves_of_a_new_file_ask_nothing() -> None:
    core = SlowCore({})
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=1")
        saves = app_of(pilot).saves
        saves.save_as(HERE)
        saves.save_as(HERE)
        core.let.set()
        for _ in range(200):
            await settle(pilot)
            if core.calls.count(f"keep {HERE}") == 2:
                break
        assert core.calls.count(f"keep {HERE}") == 2


async def test_what_is_typed_while_it_is_saved_is_kept_as_a_draft() -> None:
    core = SlowCore({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await pilot.press("1", "ctrl+s")
        await pilot.pause()
        assert core.began.wait(10)
        await pilot.press("2")
        await until(pilot, lambda: app_of(pilot).session.working.get("workload.apm") == 12)
        core.let.set()
        await until(pilot, lambda: HERE in core.drafted)
        assert core.kept[HERE].get("workload.apm") == 1
        assert core.drafted[HERE][0].get("workload.apm") == 12


async def test_saved_elsewhere_the_draft_of_the_old_name_has_done_its_work() -> None:
    core = FakeCore()
    async with wizard(core, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
        assert HERE in core.drafted
        app_of(pilot).saves.save_as(OTHER)
        await settle(pilot)
        assert core.kept[OTHER].get("workload.apm") == 12
        assert core.drafted == {}
