"""Drafts on the first step: continue one, delete one; and when a draft is obsolete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.errors import AnswersError
from oz_installer.tui.screens.start import StartScreen
from oz_installer.tui.widgets.menu import Menu
from tests.tui.controllers.test_files import COMPLETE, HERE
from tests.tui.fake_core import FakeCore
from tests.tui.support import Driver, app_of, left, press, settle, step_of, text_of, wizard

if TYPE_CHECKING:
    from pathlib import Path

    from oz_installer.answers.drafts.store import SavedDraft

OTHER = HERE.with_name("b.yml")


class Drafts(FakeCore):
    """Two drafts, the first of which another wizard may hold."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[Path] = set()
        self.unforgettable: AnswersError | None = None
        self.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "release")
        self.drafted[OTHER] = (WorkingCopy.new().with_value("workload.apm", 9.0), "release")

    def drafts(self) -> tuple[SavedDraft, ...]:
        """As any other, with its owner."""
        return tuple(replace(saved, held=saved.target in self.held) for saved in super().drafts())

    def delete_draft(self, saved: SavedDraft) -> None:
        """It may fail."""
        if self.unforgettable is not None:
            raise self.unforgettable
        super().delete_draft(saved)


def under_the_cursor(pilot: Driver) -> str:
    """Return the label of the highlighted choice."""
    menu = step_of(pilot).query_one(Menu)
    return menu.items[menu.highlighted].label


async def test_a_draft_comes_first_and_has_the_cursor() -> None:
    async with wizard(Drafts()) as pilot:
        labels = [item.label for item in step_of(pilot).query_one(Menu).items]
        assert labels[:3] == ["Continue answers.yml", "Continue b.yml", "New installation"]
        assert under_the_cursor(pilot) == "Continue answers.yml"


async def test_a_cursor_that_was_moved_stays_where_it_is() -> None:
    core = FakeCore()
    async with wizard(core) as pilot:
        await press(pilot, "down")
        core.drafted[HERE] = (WorkingCopy.new(), "nodes")
        start = step_of(pilot)
        assert isinstance(start, StartScreen)
        start._list_drafts()
        await settle(pilot)
        assert under_the_cursor(pilot) == "Open an answers file"
        assert "Continue answers.yml" in text_of(pilot)


async def test_a_draft_of_another_wizard_cannot_be_gone_on_with_from_here() -> None:
    core = Drafts()
    core.held.add(HERE)
    async with wizard(core) as pilot:
        assert "Another oz-install is editing this draft" in " ".join(text_of(pilot).split())
        assert under_the_cursor(pilot) == "Continue b.yml"
        await press(pilot, "up", "enter")
        assert not app_of(pilot).session.is_open
        await press(pilot, "delete")
        assert f"Delete the draft of {OTHER}?" in text_of(pilot), "the other one cannot be forgotten"


async def test_a_file_is_opened_without_a_question_while_another_wizard_has_the_draft() -> None:
    core = Drafts()
    core.held.add(HERE)
    core.files[HERE] = COMPLETE
    async with wizard(core, path=HERE) as pilot:
        assert step_of(pilot).STEP == "review"


async def test_a_draft_is_forgotten_by_key_when_that_was_asked() -> None:
    core = Drafts()
    async with wizard(core) as pilot:
        await press(pilot, "down", "delete")
        assert f"Delete the draft of {OTHER}?" in text_of(pilot)
        await press(pilot, "enter")
        assert set(core.drafted) == {HERE, OTHER}
        await press(pilot, "delete", "shift+tab", "enter")
        assert set(core.drafted) == {HERE}
        assert "Continue b.yml" not in text_of(pilot)
        await press(pilot, "delete", "shift+tab", "enter")
        assert core.drafted == {}
        assert under_the_cursor(pilot) == "New installation"
        assert "Delete a draft" not in text_of(pilot)


async def test_a_draft_is_forgotten_by_mouse() -> None:
    core = Drafts()
    async with wizard(core) as pilot:
        await pilot.click("#forget")
        await settle(pilot)
        assert "Delete which draft?" in text_of(pilot)
        await pilot.click("Menu", offset=(4, 3))
        await settle(pilot)
        assert f"Delete the draft of {OTHER}?" in text_of(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        assert set(core.drafted) == {HERE}
        await pilot.click("#forget")
        await settle(pilot)
        assert f"Delete the draft of {HERE}?" in text_of(pilot)
        await pilot.click("#yes")
        await settle(pilot)
        assert core.drafted == {}


async def test_a_draft_that_cannot_be_forgotten_is_told() -> None:
    core = Drafts()
    core.unforgettable = AnswersError("another oz-install is editing this draft", "go on there")
    async with wizard(core) as pilot:
        await press(pilot, "delete", "shift+tab", "enter")
        assert "! another oz-install is editing this draft. go on there" in text_of(pilot)


async def test_what_is_edited_back_to_what_the_file_says_needs_no_draft() -> None:
    core = FakeCore({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await press(pilot, "=12", "ctrl+n")
        assert HERE in core.drafted
        await press(pilot, "ctrl+b")
        step_of(pilot).focus_key("workload.apm")
        await press(pilot, "end", "backspace", "backspace")
        assert not app_of(pilot).session.has_unsaved_changes
        await press(pilot, "ctrl+n")
        assert core.drafted == {}


async def test_what_is_edited_back_needs_no_draft_when_the_wizard_is_left() -> None:
    core = FakeCore({HERE: COMPLETE})
    async with wizard(core, path=HERE, step="workload") as pilot:
        await press(pilot, "=1", "ctrl+n", "ctrl+b")
        step_of(pilot).focus_key("workload.apm")
        await press(pilot, "end", "backspace")
        assert HERE in core.drafted
        await pilot.press("ctrl+q")
        outcome = await left(pilot)
        assert (outcome.draft_of, outcome.lost) == (None, "")
    assert core.drafted == {}


async def test_the_draft_of_a_file_that_is_opened_as_it_is_stays() -> None:
    core = FakeCore({HERE: COMPLETE})
    core.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "workload")
    async with wizard(core, path=HERE) as pilot:
        await press(pilot, "enter", "ctrl+b", "ctrl+n")
        assert not app_of(pilot).session.has_unsaved_changes
        await pilot.press("ctrl+q")
        await left(pilot)
    assert HERE in core.drafted


async def test_a_draft_that_was_left_at_the_start_goes_on_where_it_is_needed() -> None:
    core = FakeCore()
    core.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "start")
    async with wizard(core) as pilot:
        await press(pilot, "enter")
        assert step_of(pilot).STEP == "workload"
        assert app_of(pilot).session.working.get("workload.apm") == 12


async def test_who_goes_back_to_the_start_goes_on_from_the_step_before() -> None:
    core = FakeCore()
    async with wizard(core, step="release") as pilot:
        app_of(pilot).change("workload.apm", 12.0)
        await press(pilot, "ctrl+b", "ctrl+b")
        assert step_of(pilot).STEP == "start"
        await pilot.press("ctrl+q")
        await left(pilot)
    (draft,) = core.drafts()
    assert draft.step == "workload"
