"""The report of the preflight step."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from oz_installer.checks.all_checks import CHECKS
from oz_installer.tui.screens.preflight import PreflightScreen
from tests.tui.running import ANSWERS, PATH, WARNING, RunCore
from tests.tui.screens.test_last_steps import push
from tests.tui.support import confirm, settle, step_of, text_of, wizard


async def test_all_warnings_are_accepted_at_once_with_their_list() -> None:
    core = RunCore()
    other = replace(WARNING, id="host.disk/api1", node="api1", seen="40 GB free")
    core.outside.findings = [*core.outside.findings, WARNING, other]
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await push(pilot, "run")
        await push(pilot, "accept-all")
        asked = text_of(pilot)
        assert "Accept 2 warnings?" in asked
        assert WARNING.seen in asked
        assert other.seen in asked
        await confirm(pilot)
        await settle(pilot)
        screen = cast("PreflightScreen", step_of(pilot))
        assert set(screen.accepted) == {WARNING.id, other.id}
        assert screen.open_warnings == ()
        assert screen.query_one("#accept-all").disabled


async def test_the_findings_keep_their_places() -> None:
    core = RunCore()
    core.outside.findings = list(reversed([*core.outside.findings, WARNING]))
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await push(pilot, "run")
        screen = cast("PreflightScreen", step_of(pilot))
        assert screen.found[0] == WARNING, "what is wrong comes first"
        rest = screen.found[1:]
        nodes, order = [one.node or "" for one in rest], [check.name for check in CHECKS]
        assert nodes == sorted(nodes)
        for node in set(nodes):
            places = [order.index(one.check) for one in rest if one.node == node]
            assert places == sorted(places)
        assert core.files[PATH] == ANSWERS
