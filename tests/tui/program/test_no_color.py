"""No state is shown by colour alone: with NO_COLOR each has a word or sign."""

from __future__ import annotations

import pytest
from rich.style import Style

from oz_installer.tui.widgets.choice import Choice
from oz_installer.tui.widgets.row_list import RowList
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM, finding
from tests.tui.probes import strips_of
from tests.tui.running import FAILURE, PATH, WARNING, RunCore
from tests.tui.screens.test_last_steps import push
from tests.tui.support import SIZES, Driver, install, press, settle, step_of, text_of, wizard

pytestmark = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture(autouse=True)
def _no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def styles(pilot: Driver) -> set[Style]:
    """Everything that text on the screen looks like."""
    strips = strips_of(pilot.app.screen)
    return {segment.style for strip in strips for segment in strip if segment.style}


def is_grey(pilot: Driver) -> bool:
    """Whether the screen has no colour at all."""
    colours = [colour for style in styles(pilot) for colour in (style.color, style.bgcolor) if colour]
    return all(len(set(colour.get_truecolor())) == 1 for colour in colours)


def rows(pilot: Driver) -> list[str]:
    """Return the rows of the screen."""
    return text_of(pilot).splitlines()


async def test_checks_have_words(size: tuple[int, int]) -> None:
    core = RunCore()
    core.outside.findings = [*core.outside.findings, WARNING, FAILURE]
    async with wizard(core, path=PATH, step="preflight", size=size) as pilot:
        await push(pilot, "run")
        assert is_grey(pilot)
        assert any("▶" in row and "FAILURE" in row for row in rows(pilot)), "the cursor is a sign"
        step_of(pilot).query_one("#findings", RowList).focus()
        await press(pilot, "end")
        assert any("warning" in row and "15 GB" in row for row in rows(pilot))
        assert any(" ok " in row for row in rows(pilot))


async def test_a_failed_test_has_words(size: tuple[int, int]) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.findings = [
        finding("Database", "api1", "ok", "PostgreSQL 16.4"),
        finding("Database", "api2", "failure", "password authentication failed"),
    ]
    async with wizard(core, path=ANSWERS, step="database", size=size) as pilot:
        await press(pilot, "f5")
        assert is_grey(pilot)
        shown = " ".join(text_of(pilot).split())
        assert "FAILURE Database on api2" in shown
        assert "ok Database on api1" in shown


async def test_what_is_chosen_barred_or_wrong_has_signs(size: tuple[int, int]) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    async with wizard(core, path=ANSWERS, step="storage", size=size) as pilot:
        assert is_grey(pilot)
        shown = " ".join(text_of(pilot).split())
        assert "(•) NFS export" in shown
        assert "Local: api1 and api2 both run the API and need one" in shown, "why it is barred"
        step_of(pilot).focus_key("storage.export")
        await settle(pilot)
        await press(pilot, "home", "shift+end", "backspace", "=srv")
        assert "! NFS export" in " ".join(text_of(pilot).split())


async def test_the_place_of_the_cursor_is_brighter_than_what_surrounds_it(size: tuple[int, int]) -> None:
    async with wizard(FakeCore({ANSWERS: MEDIUM}), path=ANSWERS, step="storage", size=size) as pilot:
        choice = step_of(pilot).query_one(Choice)
        choice.focus()
        await settle(pilot)
        cursor, plain = choice.get_component_rich_style("choice--cursor"), choice.rich_style
        assert cursor.bgcolor
        assert plain.bgcolor
        light, dark = cursor.bgcolor.get_truecolor(), plain.bgcolor.get_truecolor()
        assert sum(light) - sum(dark) > 300


async def test_steps_and_an_installation_have_words(size: tuple[int, int]) -> None:
    async with wizard(RunCore(), path=PATH, step="install", size=size) as pilot:
        await install(pilot)
        assert is_grey(pilot)
        assert "Done in 72 s." in text_of(pilot)
        assert "Installed." in text_of(pilot)
        await press(pilot, "f2")
        words = [row.split() for row in rows(pilot)]
        assert any("Install" in row and "now" in row for row in words)
        assert any("Nodes" in row and "done" in row for row in words)
