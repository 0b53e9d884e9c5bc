"""H1, H2: nothing that others name reaches the terminal raw, whichever field or screen it is in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.context import Finding, Remedy
from oz_installer.deploy.events import Message, NodeProgress, RunEnded, RunStarted, ServiceState
from oz_installer.deploy.plan import Plan
from oz_installer.errors import ConnectError, DeployError
from oz_installer.installation.wizard.probe import NodeProbe, SshHost
from oz_installer.topology.summary import Summary, SummaryRow
from tests.hostile import MARK, POISON, unsafe
from tests.plans import file_change, service_change, target_plan
from tests.tui.fake_core import FakeCore, FilesCore
from tests.tui.nodes_case import ANSWERS, MEDIUM
from tests.tui.probes import strips_of
from tests.tui.running import PATH, RunCore
from tests.tui.support import Driver, app_of, confirm, install, press, settle, step_of, text_of, wizard

REMEDY = Remedy(title=POISON, node="api1", commands=(("true",),))
FOUND = Finding(
    id=f"host.memory/{POISON}",
    subject=POISON,
    node="api1",
    level="failure",
    seen=POISON,
    needed=POISON,
    why=POISON,
    hint=POISON,
    remedy=REMEDY,
)
PLAN = Plan(
    targets=(
        target_plan(
            "api1",
            file_change(POISON, "changed", diff=f"--- a\n+++ b\n+{POISON}\n"),
            service_change(POISON, "remove", POISON),
            jobs=(POISON,),
            images=(POISON,),
        ),
    )
)


def assert_clean(pilot: Driver, times: int = 1) -> None:
    """The poison is on the screen, and nothing of it is raw."""
    shown = "".join(part.text for strip in strips_of(pilot.app.screen) for part in strip)
    assert shown.count(MARK) >= times, text_of(pilot)
    assert not unsafe(shown)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_h1_what_a_stranger_says_before_its_key_is_known(size: tuple[int, int]) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.tried = [NodeProbe(node="api1", error=POISON, hint=POISON)]
    async with wizard(core, path=ANSWERS, step="nodes", size=size) as pilot:
        await press(pilot, "t")
        assert_clean(pilot, 2)


async def test_h1_facts_and_findings_of_a_node() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    facts = ((POISON, POISON),)
    probe = NodeProbe(node="api1", connected=True, key_known="known", fingerprint=POISON, facts=facts)
    core.outside.tried = [replace(probe, findings=(FOUND,))]
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "t")
        assert_clean(pilot, 5)


async def test_h1_a_new_key_and_the_servers_of_the_ssh_configuration() -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.tried = [NodeProbe(node="api1", key_known="unknown", fingerprint=POISON, error=POISON)]
    core.outside.hosts = (SshHost(name=POISON, host=POISON, user=POISON),)
    async with wizard(core, path=ANSWERS, step="nodes") as pilot:
        await press(pilot, "f5")
        assert_clean(pilot)
        await press(pilot, "escape", "i")
        assert_clean(pilot)


@pytest.mark.parametrize("step", ["database", "storage"])
async def test_h1_the_test_of_a_service(step: str) -> None:
    core = FakeCore({ANSWERS: MEDIUM})
    core.outside.findings = [FOUND]
    async with wizard(core, path=ANSWERS, step=step, size=(120, 90)) as pilot:
        await press(pilot, "f5")
        assert_clean(pilot, 3)
        core.outside.failure = ConnectError(POISON, POISON, node="api1")
        await press(pilot, "f5")
        assert_clean(pilot, 2)


async def test_h1_the_preflight() -> None:
    core = RunCore()
    core.outside.findings = [FOUND, replace(FOUND, level="warning")]
    async with wizard(core, path=PATH, step="preflight") as pilot:
        step_of(pilot).query_one("#run").focus()
        await press(pilot, "enter")
        assert_clean(pilot, 3)
        core.outside.failure = DeployError(POISON, POISON, node="api1", details=f"{POISON}\n{POISON}")
        step_of(pilot).query_one("#run").focus()
        await press(pilot, "enter")
        assert_clean(pilot, 3)


async def test_h2_compare_names_containers_files_and_images() -> None:
    core = RunCore()
    core.outside.plan = PLAN
    async with wizard(core, path=PATH, step="review") as pilot:
        step_of(pilot).query_one("#compare").focus()
        await press(pilot, "enter")
        assert_clean(pilot, 6)


async def test_h1_a_run_and_its_failure() -> None:
    core = RunCore()
    core.outside.events = [
        RunStarted(at=1000, phases=("Check",), nodes=("api1",)),
        NodeProgress(at=1001, node="api1", text=POISON),
        Message(at=1002, level="error", text=f"{POISON}\n{POISON}", node="api1"),
        ServiceState(at=1003, node="api1", service=POISON, state="exited"),
    ]
    core.outside.failure = DeployError(POISON, POISON, node="api1", details=POISON)
    async with wizard(core, path=PATH, step="install") as pilot:
        await install(pilot)
        assert_clean(pilot, 3)


async def test_h1_progress_and_log_of_a_run() -> None:
    core = RunCore()
    core.outside.events = [
        RunStarted(at=1000, phases=("Check",), nodes=("api1",)),
        NodeProgress(at=1001, node="api1", text=POISON),
        Message(at=1002, level="error", text=f"{POISON}\n{POISON}", node="api1"),
        ServiceState(at=1003, node="api1", service=POISON, state="exited"),
        RunEnded(at=1004, outcome="done", seconds=4),
    ]
    async with wizard(core, path=PATH, step="install") as pilot:
        step_of(pilot).query_one("#run").focus()
        await press(pilot, "enter")
        await confirm(pilot)
        await settle(pilot)
        assert_clean(pilot, 3)


async def test_h1_what_runs_now() -> None:
    core = RunCore()
    row = SummaryRow(node="api1", service=POISON, state=POISON, image=POISON, ports=POISON)
    core.outside.summary = Summary(
        rows=(row,), troubles=(("api1", POISON),), urls=((POISON, POISON),), notes=(POISON,)
    )
    async with wizard(core, path=PATH) as pilot:
        app_of(pilot).go("done")
        await settle(pilot)
        step_of(pilot).query_one("#look").focus()
        await press(pilot, "enter")
        assert_clean(pilot, 4)


async def test_h1_a_question_for_a_password() -> None:
    core = RunCore()
    async with wizard(core, path=PATH, step="preflight") as pilot:
        app_of(pilot).jobs.start("asks", lambda _report, _stop: core.ask and core.ask(POISON), apart=True)
        while MARK not in text_of(pilot):
            await pilot.pause()
        assert_clean(pilot)
        await press(pilot, "escape")


async def test_h1_names_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "answers"
    folder.mkdir()
    monkeypatch.chdir(folder)
    name = POISON.replace("\x00", "").replace("\ud800", "\udcff")
    (folder / f"a{name}.yml").write_text(MEDIUM, encoding="utf-8")
    async with wizard(FilesCore()) as pilot:
        await press(pilot, "down", "enter")
        assert_clean(pilot)
        await press(pilot, "down", "enter")
        assert_clean(pilot)
