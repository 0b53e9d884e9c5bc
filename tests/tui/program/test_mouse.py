"""The mouse alone: menus, tabs, rows, the side bar and the key hints act on a click."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.tui.dialogs.open import OpenDialog
from oz_installer.tui.steps import STEPS
from oz_installer.tui.widgets.row_list import RowList
from tests.tui.by_mouse import click
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM
from tests.tui.running import PATH, WARNING, RunCore
from tests.tui.support import SIZES, app_of, install, press, step_of, text_of, wizard

TABS = {"Topology": "picture", "Files": "files", "Changes": "changes", "Answers": "yaml"}
HERE = Path("/home/admin/answers.yml")


# --- the menu of Start --------------------------------------------------------------------------------
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("words", ["New installation", "most have a suitable default"])
async def test_a_new_installation_by_its_name_or_what_is_said_of_it(
    words: str, size: tuple[int, int]
) -> None:
    async with wizard(size=size) as pilot:
        await click(pilot, words)
        assert step_of(pilot).STEP == "workload"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("words", "step"), [("Open an answers file", "review"), ("Manage an existing installation", "done")]
)
async def test_a_file_is_opened_or_managed(words: str, step: str, size: tuple[int, int]) -> None:
    path = Path.cwd() / "mine.yml"
    core = RunCore()
    core.files[path] = core.files[PATH]
    async with wizard(core, size=size) as pilot:
        await click(pilot, words)
        assert isinstance(pilot.app.screen, OpenDialog)
        await click(pilot, "mine.yml", last=True)
        assert step == step_of(pilot).STEP
        assert app_of(pilot).session.path == path


@pytest.mark.parametrize("size", SIZES)
async def test_each_draft_is_its_own(size: tuple[int, int]) -> None:
    core = FakeCore()
    core.drafted[HERE] = (WorkingCopy.new().with_value("workload.apm", 12.0), "release")
    core.drafted[HERE.with_name("b.yml")] = (WorkingCopy.new().with_value("workload.apm", 13.0), "storage")
    async with wizard(core, size=size) as pilot:
        await click(pilot, "Continue b.yml")
        assert step_of(pilot).STEP == "storage"
        assert app_of(pilot).session.working.get("workload.apm") == 13


async def test_a_free_row_below_the_menu_is_nothing() -> None:
    async with wizard() as pilot:
        await pilot.click("#body", offset=(4, 20))
        assert step_of(pilot).STEP == "start"


# --- steps and keys -----------------------------------------------------------------------------------
async def test_every_step_in_the_side_bar() -> None:
    async with wizard(step="workload") as pilot:
        for place, step in reversed(list(enumerate(STEPS, 1))):
            await click(pilot, f"{place:>2}  {step.title} ")
            assert step.id == step_of(pilot).STEP


@pytest.mark.parametrize("size", SIZES)
async def test_every_step_in_the_list_of_steps(size: tuple[int, int]) -> None:
    async with wizard(step="workload", size=size) as pilot:
        for place, step in reversed(list(enumerate(STEPS, 1))):
            await click(pilot, "F2 Steps")
            await click(pilot, f"{place:>2}  {step.title} ", last=True)
            assert step.id == step_of(pilot).STEP


@pytest.mark.parametrize("size", SIZES)
async def test_the_keys_below(size: tuple[int, int]) -> None:
    core = FakeCore({HERE: MEDIUM})
    async with wizard(core, path=HERE, step="storage", size=size) as pilot:
        await click(pilot, "Next ^N")
        assert step_of(pilot).STEP == "access"
        await click(pilot, "Back ^B")
        assert step_of(pilot).STEP == "storage"
        await click(pilot, "F1 Help")
        assert "Help: Storage" in text_of(pilot)
        await click(pilot, "[ Close Esc ]")
        await click(pilot, "^S Save")
        assert HERE in core.kept
        await pilot.click("#keys", offset=(step_of(pilot).query_one("#keys").size.width - 3, 0))  # ^Q Quit
        await pilot.pause()
    assert pilot.app.return_value is not None


# --- tabs and rows ------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", SIZES)
async def test_every_tab_of_review(size: tuple[int, int]) -> None:
    async with wizard(RunCore(), path=PATH, step="review", size=size) as pilot:
        for words in ("Answers", "Changes", "Files", "Topology"):
            await click(pilot, words)
            assert f"[ {words} ]" in text_of(pilot)
            shown = {pane for pane in TABS.values() if step_of(pilot).query_one(f"#{pane}").display}
            assert shown == {TABS[words]}


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_of_review(size: tuple[int, int]) -> None:
    async with wizard(RunCore(), path=PATH, step="review", size=size) as pilot:
        await click(pilot, "Files")
        rows = [text.strip() for text, _ in step_of(pilot).query_one("#file-list", RowList).rows]
        name = next(row for row in rows if "compose" in row)
        await click(pilot, f" {name} ")
        assert "services:" in text_of(pilot)
        await click(pilot, "api1")
        assert "files of api1; secrets" in text_of(pilot)
        await press(pilot, "end")  # the next target has been scrolled into view
        await click(pilot, "bio2 ")  # in the list, not in the file beside it
        assert "files of bio2; secrets" in text_of(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_a_node_of_the_table(size: tuple[int, int]) -> None:
    """The row that is clicked is the one that keys and buttons work on; again, its form opens."""
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="nodes", size=size) as pilot:
        await click(pilot, "bio1")
        assert getattr(step_of(pilot), "index", None) == 2
        await click(pilot, "Edit ⏎")
        assert "Node bio1" in text_of(pilot)
        await click(pilot, "Cancel Esc")
        await click(pilot, "api2")
        assert getattr(step_of(pilot), "index", None) == 1
        await click(pilot, "api2")
        assert "Node api2" in text_of(pilot)


async def test_a_finding_of_preflight() -> None:
    core = RunCore()
    core.outside.findings = [*core.outside.findings, WARNING]
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await click(pilot, "Run the checks", last=True)
        assert "Memory on bio1" in text_of(pilot)
        await click(pilot, "api1")
        assert "Memory on bio1" not in text_of(pilot)
        assert " on api1" in text_of(pilot)
        await click(pilot, "15 GB")
        assert "Memory on bio1" in text_of(pilot)
        await click(pilot, "Accept this warning")
        assert app_of(pilot).session.working.get("accept") == (WARNING.id,)


async def test_a_lane_of_the_installation() -> None:
    async with wizard(RunCore(), path=PATH, step="install") as pilot:
        await install(pilot)
        assert "Log of api1" in text_of(pilot)
        for node in ("bio2", "bio1", "api1"):
            await click(pilot, f" {node} ")
            assert f"Log of {node}" in text_of(pilot)


# --- the palette --------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", SIZES)
async def test_an_entry_of_the_palette(size: tuple[int, int]) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="workload", size=size) as pilot:
        await click(pilot, "^P Commands")
        await click(pilot, "Go to Release")
        assert step_of(pilot).STEP == "release"
        await click(pilot, "^P Commands")
        await press(pilot, "=nfs server")
        await click(pilot, "Storage: NFS server")
        assert step_of(pilot).STEP == "storage"
        assert step_of(pilot).focused_key() == "storage.server"
