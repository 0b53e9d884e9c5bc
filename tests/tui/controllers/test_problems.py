"""Errors with several problems: each is shown with its line and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.errors import AnswersError, Problem
from tests.tui import support
from tests.tui.fake_core import FakeCore, FilesCore
from tests.tui.nodes_case import ANSWERS, MEDIUM
from tests.tui.running import PATH, RunCore
from tests.tui.support import Driver, app_of, press, settle, text_of, wizard

NOT_SET = Problem(key="database.password", message="DB_PASSWORD is not set", hint="export it", line=9)
REFUSED = AnswersError("the answers cannot be used", problems=[NOT_SET])


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).split())


async def test_a_broken_file_is_told_with_line_and_reason(tmp_path: Path) -> None:
    broken = tmp_path / "a.yml"
    broken.write_text("version: 1\nnodes: [\n", encoding="utf-8")
    async with wizard(FilesCore(), size=(160, 40)) as pilot:
        app_of(pilot).files.open(broken)
        await settle(pilot)
        assert "a.yml:3: is not YAML at column 1" in words(pilot)


async def test_a_save_that_is_refused_says_which_answer() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.refused[ANSWERS] = REFUSED
    async with wizard(core, path=ANSWERS, step="access") as pilot:
        await press(pilot, "ctrl+s")
        assert "database.password: DB_PASSWORD is not set; export it" in words(pilot)


@pytest.mark.parametrize("step", ["database", "storage"])
async def test_a_test_says_which_answer_is_missing(step: str) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.failure = REFUSED
    async with wizard(core, path=ANSWERS, step=step) as pilot:
        await press(pilot, "f5")
        assert "database.password: DB_PASSWORD is not set; export it" in words(pilot)


@pytest.mark.parametrize(
    ("step", "button"), [("review", "compare"), ("preflight", "run"), ("install", "run"), ("done", "look")]
)
async def test_what_connects_says_which_answer_is_missing(step: str, button: str) -> None:
    core = RunCore()
    core.outside.failure = REFUSED
    async with wizard(core, path=PATH, step=step) as pilot:
        support.step_of(pilot).query_one(f"#{button}").focus()
        await press(pilot, "enter")
        if step == "install":
            await support.confirm(pilot)
            await support.settle(pilot)
        assert "database.password: DB_PASSWORD is not set; export it" in words(pilot)
