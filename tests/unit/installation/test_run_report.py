"""The report of a run: beside the answers, private, without secrets; its path is in the summary."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.file import read
from oz_installer.deploy.events import Event, Message, PhaseStarted, RunEnded, RunStarted
from oz_installer.deploy.gate import DryGate
from oz_installer.errors import DeployError
from oz_installer.formatting.summary import summary_text
from oz_installer.installation.apply import apply
from oz_installer.installation.prepare import Prepared, prepare
from oz_installer.installation.summary import summarise
from tests.unit.deploy.compose.deploy_support import FakeTransport, short
from tests.unit.deploy.compose.test_deploy_facts import DETAILS, output

CANARY = "canary-T0ken"
ANSWERS = """\
version: 1
scenario: poc
public_url: http://oz.example.com
nodes:
  - {name: n1, host: 10.0.0.1}
updater: {token: {env: OZ_TEST_TOKEN}}
"""


class Phases:
    """Stands for the phases: tells of a secret, and may fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def __call__(self, _phases: Sequence[object], run: Any) -> None:
        run.emit(RunStarted(phases=("Send files",), nodes=("n1",)))
        run.emit(PhaseStarted(phase="Send files", number=1, of=1))
        run.emit(Message(level="warning", text=f"the vendor refuses {CANARY}\x1b[2J", node="n1"))
        if self.error:
            run.emit(RunEnded(outcome="failed", seconds=3))
            raise self.error
        run.emit(RunEnded(outcome="done", seconds=3))


def answer(argv: tuple[str, ...]) -> str | None:
    """A node where nothing is installed yet."""
    return output(**{**DETAILS, "record": ""}) if short(argv) == "node.sh facts" else None


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """A node, and answers in a folder."""
    monkeypatch.setenv("OZ_TEST_TOKEN", CANARY)
    (tmp_path / "license.key").write_text("licence\n")
    path = tmp_path / "answers.yml"
    path.write_text(ANSWERS)
    return prepare(read(path), path, lambda *_: FakeTransport("n1", answer=answer))


def carry_out(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None, **more: Any
) -> list[Event]:
    """Run with phases that are played; what the front end was told."""
    monkeypatch.setattr("oz_installer.deploy.runner.run_phases", Phases(error))
    told: list[Event] = []
    apply(prepared, told.append, **more)
    return told


def test_a_run_is_reported_without_secrets(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    told = carry_out(prepared, monkeypatch)
    assert [type(event).__name__ for event in told] == ["RunStarted", "PhaseStarted", "Message", "RunEnded"]
    summary = summarise(prepared)
    report = prepared.desired_state.path.with_suffix(".report.txt")
    assert summary.report == report
    assert f"Report: {report}" in summary_text(summary, 200)
    assert summary_text(summary, 20).endswith(f"Report\n  {report}\n"), "whole, for copying"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    for wanted in (
        f"oz-install --answers {prepared.desired_state.path}",
        "5.2, poc-1, docker",
        "new files",
        "phase 1 of 2: Connect to the nodes",
        "phase 2 of 2: Read facts",
        "phase 1 of 1: Send files",
        "n1: warning: the vendor refuses ********",
        "Done in 3.0 s.",
        "http://oz.example.com",
        "oz-api",
    ):
        assert wanted in text, text
    assert "\x1b" not in text
    assert CANARY not in text
    for slot, secret in prepared.desired_state.secrets.items():
        assert secret.reveal() not in text, slot


def test_a_failure_is_reported_too(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeployError):
        carry_out(prepared, monkeypatch, DeployError(f"cannot log in with {CANARY}", "Try.", node="n1"))
    text = prepared.report.path.read_text()
    assert "Failed after 3.0 s." in text
    assert "error: n1: cannot log in with ********" in text
    assert "Status" not in text


def test_a_report_that_cannot_be_written_is_told_and_stops_nothing(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared.report.path.mkdir()
    carry_out(prepared, monkeypatch)
    summary = summarise(prepared)
    assert summary.report is None
    assert "could not be written" in summary.notes[-1]


def test_looking_and_rehearsing_write_none(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    assert summarise(prepared).report is None
    carry_out(prepared, monkeypatch, gate=DryGate(lambda _change: None))
    assert not prepared.report.path.exists()


def test_who_looks_later_is_told_of_the_last_one(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out(prepared, monkeypatch)
    path = prepared.desired_state.path
    before = prepared.report.path.read_bytes()
    again = prepare(read(path), path, lambda *_: FakeTransport("n1", answer=answer), new_secrets=True)
    assert summarise(again).report == prepared.report.path
    assert prepared.report.path.read_bytes() == before
