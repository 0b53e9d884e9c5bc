"""The dialog Open: a path, the files in its folder, and a folder instead of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.tui.dialogs.open import OpenDialog
from oz_installer.tui.widgets.text_input import TextInput
from tests.tui.controllers.test_files import COMPLETE
from tests.tui.fake_core import FakeCore, FilesCore
from tests.tui.support import Driver, app_of, press, text_of, wizard


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).replace("│", " ").split())


async def test_down_goes_from_the_path_to_the_files() -> None:
    here = Path.cwd() / "mine.yml"
    async with wizard(FakeCore({here: COMPLETE})) as pilot:
        await press(pilot, "down", "enter")
        assert "Escape closes" in words(pilot)
        await press(pilot, "enter")
        assert "Enter a path or choose a file below" in words(pilot)
        await press(pilot, "down", "enter")
        assert app_of(pilot).session.path == here


async def test_without_files_none_is_to_be_chosen_below() -> None:
    async with wizard(FakeCore()) as pilot:
        await press(pilot, "down", "enter", "enter")
        assert "! Enter a path" in words(pilot)
        assert "below" not in words(pilot)
        await press(pilot, "down")
        assert isinstance(pilot.app.focused, TextInput), "there is nothing to go down to"


async def test_a_folder_is_looked_into_and_the_path_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        (tmp_path / f"answers-{number:02}.yml").write_text(COMPLETE, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path / "empty")
    async with wizard(FilesCore(), size=(80, 24)) as pilot:
        await press(pilot, "down", "enter", "=.", "enter")
        assert "is a folder; name the answers file in it" in words(pilot)
        await press(pilot, "=.", "enter")
        assert isinstance(pilot.app.screen, OpenDialog)
        box = pilot.app.screen.query_one(TextInput)
        assert box.value == ".."
        assert "answers-00.yml" in words(pilot)
        assert "[ Cancel Esc ]" in words(pilot), "however many files there are"
        await press(pilot, *["down"] * 60)
        assert "▶ answers-59.yml" in words(pilot)
        assert "[ Cancel Esc ]" in words(pilot)
        await press(pilot, "enter")
        assert app_of(pilot).session.path.name == "answers-59.yml"
