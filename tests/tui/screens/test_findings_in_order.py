"""The report of the preflight step."""

from __future__ import annotations

from typing import cast

from oz_installer.checks.all_checks import CHECKS
from oz_installer.tui.screens.preflight import PreflightScreen
from tests.tui.running import ANSWERS, PATH, WARNING, RunCore
from tests.tui.screens.test_last_steps import push
from tests.tui.support import step_of, wizard


async def test_the_findings_keep_their_places() -> None:
    core = RunCore()
    core.outside.findings = list(reversed([*core.outside.findings, WARNING]))
    async with wizard(core, path=PATH, step="preflight") as pilot:
        await push(pilot, "run")
        screen = cast("PreflightScreen", step_of(pilot))
        nodes, order = [one.node or "" for one in screen.found], [check.name for check in CHECKS]
        assert nodes == sorted(nodes)
        for node in set(nodes):
            places = [order.index(one.check) for one in screen.found if one.node == node]
            assert places == sorted(places)
        assert core.files[PATH] == ANSWERS
