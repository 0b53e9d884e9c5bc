"""The preflight's report as text and as JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from oz_installer.answers.file import read
from oz_installer.checks.context import Finding, Remedy
from oz_installer.cli.exit import RunOptions
from oz_installer.console.commands import check, check_task
from oz_installer.console.commands.check import (
    _nothing_changed,
    findings_json,
    findings_text,
    not_well_text,
)
from oz_installer.console.commands.check_task import CheckFlags, CheckTask
from oz_installer.console.finding_ids import accept_ids
from oz_installer.errors import AnswersError, Interrupted, OzError, PreflightError
from oz_installer.formatting.junit import junit_error_report, junit_report
from oz_installer.installation.check import select_checks
from oz_installer.secret import Masker, Secret
from tests.unit.checks.checks_support import site

ROOT = Path(__file__).parents[3]
FOUND = [
    Finding(id="host.cpu/a", subject="CPU", node="a", level="ok", seen="8 cores", hint="not shown"),
    Finding(
        id="host.memory/a",
        subject="Memory",
        node="a",
        level="warning",
        seen="2 GB",
        needed="16 GB (layout poc-2)",
        why="It matters.",
        hint="Do this.",
    ),
    Finding(
        id="database/b",
        subject="Database",
        node="b",
        level="failure",
        seen="closed \x1b[31mred",
        hint="Open it.",
    ),
]
HERE = Finding(id="licence.bio", subject="Licence", node=None, level="ok", seen="there")
MINIMAL = """
version: 1
scenario: poc
public_url: http://oz.example.com
nodes: [{name: a, host: 10.0.0.1}]
accept: [host.disk]
"""


def test_the_table() -> None:
    assert findings_text(FOUND, (), 60) == (
        "NODE  CHECK     RESULT   SEEN\n"
        "a     CPU       ok       8 cores\n"
        "      Memory    warning  2 GB; needed: 16 GB (layout poc-2).\n"
        "                         It matters. Do this.\n"
        "                         [host.memory/a]\n"
        "b     Database  FAILURE  closed red. Open it.\n"
        "3 checks: 1 ok, 1 warning, 1 failure\n"
    )


def test_an_accepted_warning_says_so() -> None:
    text = findings_text(FOUND, ("host.memory/a", "database/b"), 100)
    assert "accepted" in text
    assert "1 warning (1 accepted), 1 failure" in text
    assert "FAILURE" in text


def test_json_lines() -> None:
    lines = [json.loads(line) for line in findings_json(FOUND, ("host.memory/a",)).splitlines()]
    assert [line["event"] for line in lines] == ["Finding", "Finding", "Finding", "CheckEnded"]
    assert [line.get("accepted") for line in lines] == [False, True, False, None]
    assert lines[-1] == {"event": "CheckEnded", "ok": 1, "warnings": 1, "failures": 1}


def test_junit_counts_failures_and_open_warnings() -> None:
    root = ElementTree.fromstring(junit_report([*FOUND, HERE], ()))  # noqa: S314 - our own
    suites = {suite.get("name"): suite for suite in root}
    assert {name: (s.get("tests"), s.get("failures"), s.get("skipped")) for name, s in suites.items()} == {
        "a": ("2", "0", "1"), "b": ("1", "1", "0"), "workstation": ("1", "0", "0"),
    }  # fmt: skip
    failure = suites["b"].find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "closed red"
    assert "do: Open it." in (failure.text or "")
    accepted = ElementTree.fromstring(junit_report([*FOUND, HERE], ("host.memory",)))  # noqa: S314
    assert [suite.get("skipped") for suite in accepted] == ["0", "0", "0"]


def test_accepting_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(MINIMAL)
    loaded = accept_ids(read(path), ("host.cpu", "host.memory/a", "host.cpu"))
    assert loaded.answers.accept == ("host.disk", "host.cpu", "host.memory/a")
    with pytest.raises(AnswersError, match="--accept: 'a b' is no id of a warning"):
        accept_ids(read(path), ("a b",))


def test_one_check_alone() -> None:
    answers = site().answers
    assert [one.name for one in select_checks(answers, ["host"])] == ["host"]
    assert len(select_checks(answers, ())) > 3
    with pytest.raises(AnswersError, match="there is no check 'hots'"):
        select_checks(answers, ["hots"])


def test_answers_of_a_platform_to_come_are_refused_before_their_checks_are_chosen(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(MINIMAL.replace("scenario: poc", "scenario: high-load"))
    task = check_task.make_task(path, CheckFlags(only=("host",)), lambda *_: None, RunOptions())
    with pytest.raises(AnswersError) as caught:
        check_task.run_check(task)
    assert "Kubernetes" in str(caught.value.problems)


def test_a_failure_that_can_be_mended_names_the_command_that_does_it() -> None:
    remedy = Remedy(title="start it", node="b", commands=(("service", "docker", "start"),))
    assert _nothing_changed(FOUND) == "Nothing was changed."
    assert "Run oz-install check --fix to fix 1 finding." in _nothing_changed(
        [*FOUND, replace(FOUND[2], remedy=remedy)]
    )


MANY = [replace(FOUND[0], id=f"host.cpu/{name}", node=name) for name in "cdefghijklmn"]


class Case:
    """``check`` of minimal answers, in which the checks find what is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, found: Sequence[Finding]) -> None:
        self.folder, self.found = folder, list(found)
        (folder / "answers.yml").write_text(MINIMAL.replace("accept: [host.disk]", ""))
        monkeypatch.setattr(check, "run_check", self._looked)

    def _looked(self, task: CheckTask) -> list[Finding]:
        return [one for one in self.found if not task.flags.only or one.check in task.flags.only]

    def run(self, junit: Path | None = None, **flags: Any) -> None:
        """All of the command but the looking."""
        check.check(self.folder / "answers.yml", CheckFlags(**flags), lambda: None, RunOptions(), junit=junit)


def test_what_is_not_well_stands_once_more_at_the_end_of_a_long_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case(monkeypatch, tmp_path, [FOUND[2], FOUND[1], *MANY])
    with pytest.raises(PreflightError):
        case.run()
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "14 checks: 12 ok, 1 warning, 1 failure",
        "warning  a: Memory: 2 GB",
        "FAILURE  b: Database: closed red",
    ]
    with pytest.raises(PreflightError):
        Case(monkeypatch, tmp_path, FOUND).run()
    assert capsys.readouterr().out.endswith("1 failure\n"), "a short one is seen at a glance"
    assert not_well_text(FOUND, ("host.memory",)) == "FAILURE  b: Database: closed red\n"
    long = replace(FOUND[2], seen="word " * 40)
    assert [len(line) for line in not_well_text([long], (), 80).splitlines()] == [80]


def test_warnings_alone_end_with_how_to_accept_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remedy = Remedy(title="enable it", node="a", commands=(("x",),))
    case = Case(monkeypatch, tmp_path, [FOUND[0], replace(FOUND[1], remedy=remedy)])
    case.run()
    assert capsys.readouterr().err == (
        "hint: Fix the warnings, or accept them: --accept host.memory (or accept: in the answers; with "
        "/NODE for one node). Run oz-install check --fix to fix 1 finding.\n"
    )
    case.run(accept=("host.memory",))
    assert capsys.readouterr().err == ""
    case.run(accept=("host.memory", "host.cpux"))
    assert "host.cpux (did you mean host.cpu?)" in capsys.readouterr().err
    case.run(json=True, accept=("host.cpux",))
    assert capsys.readouterr().err == ""


def test_only_takes_an_id_for_its_check_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case(monkeypatch, tmp_path, [FOUND[0], HERE])
    case.run(only=("host.memory/a",))
    said = capsys.readouterr()
    assert said.err == "host.memory/a: run as part of the check host\n"
    assert "1 check: 1 ok" in said.out
    with pytest.raises(AnswersError, match="there is no check 'hots'"):
        case.run(only=("hots.memory",))


def test_nothing_to_examine_is_said_instead_of_an_empty_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case(monkeypatch, tmp_path, [FOUND[0]])
    case.run(only=("broker",))
    nothing = "broker: nothing to check: the broker is bundled\n"
    assert capsys.readouterr().out == nothing
    case.run(only=("broker", "host"))
    assert capsys.readouterr().out.endswith(f"1 check: 1 ok, 0 warnings, 0 failures\n{nothing}")
    case.run(only=("broker",), json=True)
    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == ["CheckEnded"]


def test_a_check_that_cannot_be_made_is_in_the_junit_file_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "report.xml"
    file.write_text("of an earlier run")
    (tmp_path / "answers.yml").write_text(
        MINIMAL.replace("host.disk", "many-nodes") + "updater: {token: {env: OZ_NOT_SET}}\n"
    )
    monkeypatch.delenv("OZ_NOT_SET", raising=False)
    with pytest.raises(AnswersError) as caught:
        check.check(tmp_path / "answers.yml", CheckFlags(), lambda: None, RunOptions(), junit=file)
    assert caught.value.exit_code == 2
    suite = ElementTree.parse(file).getroot()[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("1", "1", "0")
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("type") == "exit code 2"
    assert "OZ_NOT_SET is not set" in (error.text or "")


def test_a_stopped_check_leaves_no_older_junit_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    case, file = Case(monkeypatch, tmp_path, ()), tmp_path / "report.xml"
    file.write_text("of an earlier run")

    def stopped(_task: object) -> list[Finding]:
        raise Interrupted("stopped at your request")

    monkeypatch.setattr(check, "run_check", stopped)
    with pytest.raises(Interrupted):
        case.run(file)
    assert 'message="stopped at your request"' in file.read_text()
    with pytest.raises(Interrupted):
        case.run(tmp_path / "no folder" / "report.xml")


def test_the_error_comes_after_the_table_in_one_pipe(tmp_path: Path) -> None:
    (tmp_path / "license.key").write_text("licence\n")
    (tmp_path / "answers.yml").write_text(
        MINIMAL.replace("10.0.0.1", "127.0.0.1, port: 1").replace("accept: [host.disk]", "")
        + "license: {bio: license.key}\nupdater: {token: {env: OZ_TEST_TOKEN}}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "oz_installer", "check", "-a", "answers.yml", "--only", "host"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "OZ_TEST_TOKEN": "token-canary", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 3
    # a slow machine also says after a second that it is checking
    lines = [line for line in done.stdout.splitlines() if line != "Checking ..."]
    assert lines[0].startswith("NODE")
    assert lines[-3] == "1 check: 0 ok, 0 warnings, 1 failure"
    assert lines[-2].startswith("error: ")
    assert lines[-1].startswith("hint: ")


def test_a_secret_in_an_error_is_masked_in_the_junit_file() -> None:
    said = junit_error_report(OzError("canary is wrong", "not canary"), Masker((Secret("canary"),)))
    assert "is wrong" in said
    assert "canary" not in said
