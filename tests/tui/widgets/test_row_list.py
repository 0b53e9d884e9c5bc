"""Scrolling rows: new rows and the cursor stay visible, and no text is cut without a mark."""

from __future__ import annotations

import pytest

from oz_installer.checks.context import Finding
from oz_installer.tui.widgets.row_list import RowList
from tests.tui.running import PATH, STOPPED, WARNING, RunCore
from tests.tui.screens.test_last_steps import push
from tests.tui.support import SIZES, check_golden, install, press, settle, step_of, text_of, wizard

LONG = "a line of a service's log that goes on and on " * 5


async def test_a_log_follows_its_end_when_a_long_line_brings_a_scroll_bar() -> None:
    async with wizard(RunCore(), path=PATH, step="install") as pilot:
        await install(pilot)
        log = step_of(pilot).query_one("#log", RowList)
        rows = [(f"line {n}" if n != 30 else LONG, "") for n in range(80)]
        for count in range(1, len(rows) + 1):
            log.show(rows[:count])
            await pilot.pause()
        assert "line 79" in text_of(pilot)
        log.focus()
        await press(pilot, "home")
        log.show([*rows, ("line 80", "")])
        await settle(pilot)
        assert "line 80" not in text_of(pilot), "whoever reads further up is left there"
        await press(pilot, "end")
        log.show([*rows, ("line 80", ""), ("line 81", "")])
        await settle(pilot)
        assert "line 81" in text_of(pilot)


@pytest.mark.parametrize("long", [5, 30], ids=["in sight", "out of sight"])
async def test_a_log_follows_its_end_at_once_when_both_scroll_bars_come(long: int) -> None:
    async with wizard(RunCore(), path=PATH, step="install") as pilot:
        await install(pilot)
        log = step_of(pilot).query_one("#log", RowList)
        for count in (3, log.size.height - 1, log.size.height + 1, log.size.height + 3):
            log.show([(LONG if n == count - 2 or n == long else f"line {n}.", "") for n in range(count)])
            await settle(pilot)
            assert f"line {count - 1}." in text_of(pilot)


async def test_the_cursor_stays_in_sight_when_the_window_gets_smaller() -> None:
    core = RunCore()
    core.outside.findings = [WARNING, *core.outside.findings] * 4
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await push(pilot, "run")
        step_of(pilot).query_one("#findings", RowList).focus()
        await press(pilot, *["down"] * 12)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert any(row.startswith("  ▶ ") for row in text_of(pilot).splitlines())


@pytest.mark.parametrize("many", [1, 5], ids=["without", "with a scroll bar"])
async def test_a_finding_that_is_too_long_ends_in_an_ellipsis(many: int) -> None:
    core = RunCore()
    core.outside.findings[0] = Finding(
        id="host.cores/api1", subject="Cores", node="api1", level="ok", seen=LONG
    )
    core.outside.findings *= many
    async with wizard(core, path=PATH, step="preflight", size=(80, 24)) as pilot:
        await push(pilot, "run")
        cut = next(row for row in text_of(pilot).splitlines() if "a line of a service" in row)
        assert cut.rstrip(" ▁▂▃▄▅▆▇").endswith("…")


@pytest.mark.parametrize("size", SIZES)
async def test_what_can_be_mended_names_the_command_that_does_it(size: tuple[int, int]) -> None:
    core = RunCore()
    core.outside.findings = [*core.outside.findings, STOPPED]
    async with wizard(core, path=PATH, step="preflight", size=size) as pilot:
        await push(pilot, "run")
        check_golden("preflight-fixable", pilot)
        assert "oz-install check --fix" in " ".join(text_of(pilot).split())
