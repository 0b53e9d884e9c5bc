"""New passwords are written once the nodes are locked, and before any of them is sent."""

from __future__ import annotations

import pytest

from oz_installer.deploy.compose.phases.lock import Lock
from oz_installer.deploy.compose.phases.save_secrets import SaveSecrets
from oz_installer.deploy.compose.phases.stage import Stage
from oz_installer.deploy.compose.recipes import install
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.gate import DryGate, DryRunChange
from oz_installer.deploy.runner import run_phases
from oz_installer.errors import LockedError
from tests.plans import file_change, target_plan
from tests.unit.deploy.compose.deploy_support import FakeTransport, failed, make_run

CHANGING = [target_plan("n1", file_change("a", "new"))]


def test_after_the_locks_and_before_anything_is_sent() -> None:
    kinds = [type(phase) for phase in install()]
    assert kinds.index(Lock) < kinds.index(SaveSecrets) < kinds.index(Stage)


def keeping(run: NodesRun) -> list[str]:
    kept: list[str] = []
    run.keep_secrets = lambda: kept.append("kept")
    return kept


def test_they_are_kept_once() -> None:
    run = make_run(plans=CHANGING)
    assert not SaveSecrets().should_run(run)  # none were made
    kept = keeping(run)
    run_phases([SaveSecrets()], run)
    assert kept == ["kept"]


def test_a_dry_run_only_says_it() -> None:
    told: list[DryRunChange] = []
    run = make_run(plans=CHANGING, gate=DryGate(told.append))
    kept = keeping(run)
    run_phases([SaveSecrets()], run)
    assert kept == []
    assert [change.what for change in told] == ["save new passwords next to the answers"]


def test_who_does_not_get_the_lock_keeps_none() -> None:
    node = FakeTransport("n1", answer=lambda argv: failed(5, "somebody else"))
    run = make_run(plans=CHANGING, transports={"n1": node})
    kept = keeping(run)
    with pytest.raises(LockedError):
        run_phases([Lock(), SaveSecrets()], run)
    assert kept == []


def test_where_nothing_changes_none_are_kept() -> None:
    run = make_run()
    kept = keeping(run)
    run_phases(install(), run)
    assert kept == []
