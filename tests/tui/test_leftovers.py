"""An installation with nothing to do removes what a killed run left."""

from __future__ import annotations

import threading
from typing import cast

from oz_installer.deploy.plan import Plan, TargetPlan
from oz_installer.installation.prepare import Prepared
from oz_installer.tui.controllers import install_jobs
from tests.tui.running import PATH, FakePrepared, RunCore


def test_old_answers_after_kill_the_wizard_removes_what_is_left() -> None:
    core = RunCore()
    found = FakePrepared(plan=Plan(targets=(TargetPlan(target="n1"),)))
    core.outside.prepared = found
    assert cast("Prepared", found).plan.nothing_to_do
    install_jobs.install(core, PATH, lambda _: None, lambda _: None, threading.Event(), checked=True)
    assert found.steps == ["leftovers"]
    assert found.closed == 1
