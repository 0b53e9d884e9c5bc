"""Any answers file is opened, viewed, edited and saved without loss."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_file, read
from oz_installer.answers.questions import questions
from oz_installer.tui.steps import STEPS
from tests.tui.by_keys import clear, type_text
from tests.tui.fake_core import FilesCore
from tests.tui.support import Driver, app_of, press, settle, step_of, text_of, wizard

ROOT = Path(__file__).parents[3]
EVERYTHING = Path(__file__).parents[1] / "journeys" / "everything.yml"
GOLDEN = sorted((ROOT / "tests" / "golden" / "bundles").glob("*/answers.yml"))
FILES = [*sorted((ROOT / "examples").glob("*.yml")), *GOLDEN, EVERYTHING]
OTHER = "https://other.example.com"


@pytest.fixture(params=FILES, ids=[f"{file.parent.name}/{file.name}" for file in FILES])
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy of one of the files; nothing else is in its folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "mine" / "answers.yml"
    path.parent.mkdir()
    path.write_bytes(request.param.read_bytes())
    return path


@asynccontextmanager
async def every_step_seen(path: Path) -> AsyncIterator[Driver]:
    """The file in the wizard, after every step that holds answers was opened, and its nodes' forms."""
    async with wizard(FilesCore(), path=path) as pilot:
        assert step_of(pilot).STEP == "review", text_of(pilot)
        while step_of(pilot).STEP != "start":
            await press(pilot, "ctrl+b")
            if step_of(pilot).STEP == "nodes":
                await press(pilot, "enter", "ctrl+n")
        while step_of(pilot).STEP != "preflight":
            await press(pilot, "ctrl+n")
        yield pilot


def test_there_are_files_and_one_that_answers_everything() -> None:
    working = WorkingCopy.of(parse_file(EVERYTHING))
    keys = [question.key.replace("[]", "[0]") for question in questions()]
    assert [key for key in keys if not working.is_given(key) and key != "storage.path"] == []
    assert len(FILES) > len(STEPS) // 2


async def test_looking_at_it_changes_nothing(opened: Path) -> None:
    before = opened.read_bytes()
    async with every_step_seen(opened) as pilot:
        assert not app_of(pilot).session.has_unsaved_changes
        await press(pilot, "ctrl+s")
        assert "Saved to" in text_of(pilot)
    assert opened.read_bytes() == before
    assert [path.name for path in opened.parent.iterdir()] == ["answers.yml"]


async def test_one_answer_is_edited_and_taken_back(opened: Path) -> None:
    before, text = read(opened).answers, opened.read_text()
    async with wizard(FilesCore(), path=opened, step="access") as pilot:
        for url, expected in ((OTHER, replace(before, public_url=OTHER)), (before.public_url, before)):
            step_of(pilot).focus_key("public_url")
            await settle(pilot)
            await clear(pilot)
            await type_text(pilot, url)
            await press(pilot, "ctrl+s")
            assert read(opened).answers == expected
            assert opened.read_text() == text.replace(before.public_url, url)
