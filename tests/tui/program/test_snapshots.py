"""Screens as text, small and large."""

from __future__ import annotations

from pathlib import Path

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from tests.tui.fake_core import FakeCore
from tests.tui.support import SIZES, app_of, check_golden, press, settle, step_of, wizard

pytestmark = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


async def test_start(size: tuple[int, int]) -> None:
    core = FakeCore()
    core.drafted[Path("/home/admin/answers.yml")] = (WorkingCopy.new(), "nodes")
    async with wizard(core, size=size) as pilot:
        check_golden("start", pilot)


async def test_workload(size: tuple[int, int]) -> None:
    async with wizard(size=size, step="workload") as pilot:
        app_of(pilot).change("workload.apm", 45.0)
        app_of(pilot).change("scenario", "medium")
        await settle(pilot)
        check_golden("workload", pilot)
        step_of(pilot).focus_key("scenario")
        await settle(pilot)
        check_golden("scenarios", pilot)


async def test_release(size: tuple[int, int]) -> None:
    async with wizard(size=size, step="release") as pilot:
        check_golden("release", pilot)


async def test_dialogs(size: tuple[int, int]) -> None:
    async with wizard(size=size, step="release") as pilot:
        await press(pilot, "f1")
        check_golden("help", pilot)
        await press(pilot, "escape", "f2")
        check_golden("steps", pilot)
        await press(pilot, "escape", "ctrl+s")
        check_golden("save", pilot)
        await press(pilot, "escape", "ctrl+p")
        check_golden("commands", pilot)
