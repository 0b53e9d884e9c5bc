"""What a run that died left is told by status, and removed by a run that has nothing to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.installed_nodes import prepare_folder, run_installed

LEFT = "the lock of eve@there and generations/000002.partial with its secrets"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Installed nodes, on one of which a run died while it sent files."""
    prepare_folder(tmp_path)
    facts = json.loads((tmp_path / "facts.json").read_text())
    left = {"lock": "eve@there", "holder": "run r0\nprocess \nstale", "partial": "000002.partial"}
    for name, text in left.items():
        facts["bio1"] = facts["bio1"].replace(f"\n@{name}\n\n", f"\n@{name}\n{text}\n")
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    return tmp_path


def test_old_answers_after_kill_a_run_with_nothing_to_do_removes_it(folder: Path) -> None:
    done = run_installed(folder, "--answers", "answers.yml", "--yes", "--json")
    events = [json.loads(line) for line in done.output.splitlines()]
    told = [event["text"] for event in events if event["event"] == "Message"]
    assert told == [f"bio1: removed what a run that died had left: {LEFT}"]
    assert events[-1]["outcome"] == "nothing to do"


def test_old_answers_after_kill_a_dry_run_only_tells(folder: Path) -> None:
    done = run_installed(folder, "--answers", "answers.yml", "--dry-run", "--json")
    assert f"bio1: a run that died had left {LEFT}" in done.output


def test_old_answers_after_kill_status_tells(folder: Path) -> None:
    done = run_installed(folder, "status", "--answers", "answers.yml", "--json")
    notes = json.loads(done.output)["notes"]
    assert f"On bio1 a run that died left {LEFT}. Run oz-install --answers answers.yml to remove it." in notes
