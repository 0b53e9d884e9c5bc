"""Problems found by validation stay until the next validation, so that nothing flickers."""

from __future__ import annotations

import pytest

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.errors import Problem
from oz_installer.tui.widgets.field import Field
from oz_installer.tui.widgets.node_table import NodeTable
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS, MEDIUM, finding
from tests.tui.support import Driver, app_of, press, settle, step_of, text_of, wizard


class Wrong(FakeCore):
    """Finds the same problem in all answers."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__({ANSWERS: MEDIUM})
        self._problem = Problem(key=key, message=message, hint="")

    def validate(self, working: WorkingCopy) -> tuple[Problem, ...]:
        """Return the problems that the test has set."""
        return (self._problem,)


def words(pilot: Driver) -> str:
    """Return the screen's text in one line."""
    return " ".join(text_of(pilot).split())


async def edit_unjudged(pilot: Driver, monkeypatch: pytest.MonkeyPatch, key: str, value: object) -> None:
    """Set an answer and return before it is validated."""
    monkeypatch.setattr("oz_installer.tui.app.THINKING", 600.0)
    app_of(pilot).change(key, value)
    await pilot.pause()
    assert app_of(pilot).thinking


async def test_a_hidden_field_that_is_wrong_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    core = Wrong("storage.path", "is wrong")
    async with wizard(core, path=ANSWERS, step="storage") as pilot:
        (field,) = (one for one in step_of(pilot).query(Field).results(Field) if one.key == "storage.path")
        assert field.display
        await edit_unjudged(pilot, monkeypatch, "storage.server", "nfs2.example.com")
        assert field.display


async def test_the_mark_of_a_node_whose_key_file_is_not_there_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    core = FakeCore({ANSWERS: MEDIUM.replace("10.0.0.11, user: ozadmin", "10.0.0.11, key_file: ~/id")})
    core.unread = (Problem(key="nodes[0].key_file", message="/root/id cannot be read", hint="correct it"),)
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        table = step_of(pilot).query_one(NodeTable)
        before = table.get_row_at(0)
        assert "/root/id cannot be read" in words(pilot)
        await edit_unjudged(pilot, monkeypatch, "nodes[1].user", "admin")
        assert table.get_row_at(0) == before
        assert "/root/id cannot be read" in words(pilot)
        app_of(pilot).edit(app_of(pilot).session.working.move_node(0, 1))
        await pilot.pause()
        assert "/root/id cannot be read" not in words(pilot), "places are other nodes' now"


async def test_what_is_wrong_with_the_scenario_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    core = Wrong("scenario", "does not fit")
    async with wizard(core, path=ANSWERS, step="workload") as pilot:
        assert "! does not fit" in words(pilot)
        await edit_unjudged(pilot, monkeypatch, "workload.apm", 12.0)
        assert "! does not fit" in words(pilot)


@pytest.mark.parametrize("step", ["database", "storage"])
async def test_a_test_from_other_api_nodes_is_told_as_that(step: str) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.findings = [finding("Reachable", "api1", "ok", "fine")]
    async with wizard(core, path=ANSWERS, step=step) as pilot:
        await press(pilot, "f5")
        assert "test again" not in words(pilot)
        app_of(pilot).change("nodes[2].roles", ("api",))
        await settle(pilot)
        assert "? The roles have changed since this test: test again." in words(pilot)
        app_of(pilot).change("nodes[2].host", "10.0.0.99")
        await settle(pilot)
        assert "? The answers have changed since this test: test again." in words(pilot)
