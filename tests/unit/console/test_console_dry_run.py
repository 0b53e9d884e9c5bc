"""A dry run tells what would be done and no deed; a picture overwrites nothing but a picture."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oz_installer.answers.file import read
from oz_installer.console.commands import dry_run
from oz_installer.console.commands.install_flags import InstallFlags
from oz_installer.console.commands.render import check_picture, write_file
from oz_installer.deploy.events import ServiceState
from oz_installer.deploy.gate import DryRunChange
from oz_installer.errors import AnswersError
from oz_installer.secret import Masker, Secret

WHATS = {
    "lock the node": True,
    "write the files below /opt/oz": False,
    "run job canary": False,
    "mark x as done": True,
    "unlock the node": True,
}
"""The changes of a run; True: housekeeping."""


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two nodes, and a run on them that also tells of deeds."""

    def run(_prepared: object, on_event: Any, *, gate: Any) -> None:
        for what, housekeeping in WHATS.items():
            for node in ("n2", "n1"):
                gate._report(DryRunChange(node=node, what=what, argv=(), housekeeping=housekeeping))
        gate._report(DryRunChange(node="n1", what="mark the disk as full", argv=()))
        gate._report(DryRunChange(node="", what="save new passwords", argv=()))
        on_event(ServiceState(node="n1", service="oz-init", state="finished"))

    monkeypatch.setattr(dry_run, "apply", run)
    secrets = SimpleNamespace(masker=lambda: Masker((Secret("canary"),)))
    return SimpleNamespace(desired_state=SimpleNamespace(secrets=secrets), targets=("n1", "n2"))


def test_only_what_matters_node_by_node(prepared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    dry_run.dry_run(prepared, InstallFlags())
    assert stream.getvalue().splitlines() == [
        "would save new passwords",
        "n1: would write the files below /opt/oz",
        "n1: would run job ********",
        "n1: would mark the disk as full",
        "n2: would write the files below /opt/oz",
        "n2: would run job ********",
        "Nothing was changed. The preflight was not run; oz-install check runs it.",
    ]
    dry_run.dry_run(prepared, InstallFlags(skip_checks=True))
    assert stream.getvalue().endswith("\nNothing was changed.\n"), "who skips it knows"


def test_the_same_as_json(prepared: Any, capsys: pytest.CaptureFixture[str]) -> None:
    dry_run.dry_run(prepared, InstallFlags(json=True))
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in out.splitlines()]
    assert err == ""
    assert {event["event"] for event in events[:-1]} == {"Message"}
    assert (events[-1]["event"], events[-1]["outcome"]) == ("RunEnded", "rehearsed")


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.yml"
    path.write_text("scenario: poc\npublic_url: http://oz\nnodes: [{name: a, host: a}]\n")
    (tmp_path / "license.key").write_text("<svg>")
    (tmp_path / "notes.txt").write_text("mine")
    return path


@pytest.mark.parametrize("name", ["answers.yml", "answers.secrets.json", "license.key", "notes.txt", "."])
def test_a_picture_overwrites_nothing_else(answers: Path, name: str) -> None:
    with pytest.raises(
        AnswersError, match=r"is a file of this installation|exists and is not an SVG"
    ) as caught:
        check_picture(answers.parent / name, read(answers), answers)
    assert "--svg" in caught.value.hint


def test_a_picture_overwrites_a_picture(answers: Path) -> None:
    svg = answers.parent / "topology.svg"
    for _ in range(2):
        check_picture(svg, read(answers), answers)
        write_file(svg, '<?xml version="1.0"?>\n<svg></svg>\n')
