"""Scrolling rows: the end of a log stays visible until the operator scrolls away."""

from __future__ import annotations

from textual.app import App, ComposeResult

from oz_installer.tui.widgets.row_list import RowList

FEW = [(f"row {number}", "") for number in range(5)]
MANY = [(f"row {number}", "") for number in range(40)]
WIDE = [*MANY, ("wide " * 40, ""), ("the last", "")]


class Log(App[None]):
    """One log."""

    CSS = "Lines { height: 1fr; }"

    def compose(self) -> ComposeResult:
        """It fills the screen."""
        yield RowList(tail=True)


def last_in_sight(app: App[None]) -> str:
    """The last row that is shown."""
    lines = app.query_one(RowList)
    return lines.rows[min(lines.scroll_offset.y + lines.size.height, len(lines.rows)) - 1][0]


async def test_the_end_stays_in_sight() -> None:
    app = Log()
    async with app.run_test(size=(60, 20)) as pilot:
        lines = app.query_one(RowList)
        for rows in (FEW, MANY, WIDE):
            lines.show(rows)
            await pilot.pause()
            assert last_in_sight(app) == rows[-1][0]
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        lines.show([*WIDE, ("and more", "")])
        await pilot.pause()
        assert last_in_sight(app) == "and more"


async def test_who_scrolls_up_reads_on_undisturbed() -> None:
    app = Log()
    async with app.run_test(size=(60, 20)) as pilot:
        lines = app.query_one(RowList)
        lines.show(MANY)
        lines.focus()
        await pilot.press("up", "up")
        seen = last_in_sight(app)
        lines.show(WIDE)
        await pilot.pause()
        assert last_in_sight(app) == seen
        await pilot.press("end")
        lines.show([*WIDE, ("and more", "")])
        await pilot.pause()
        assert last_in_sight(app) == "and more"
