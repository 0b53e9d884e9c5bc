"""The preflight's report as text and as JSON lines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from oz_installer.answers.file import read
from oz_installer.checks.model import Finding, Remedy
from oz_installer.errors import AnswersError
from oz_installer.installation.checking import chosen_checks
from oz_installer.telling.junit import junit
from oz_installer.unattended.accepting import accepting
from oz_installer.unattended.checking import _nothing_changed, findings_json, findings_text

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
    root = ElementTree.fromstring(junit([*FOUND, HERE], ()))  # noqa: S314 - our own
    suites = {suite.get("name"): suite for suite in root}
    assert {name: (s.get("tests"), s.get("failures"), s.get("skipped")) for name, s in suites.items()} == {
        "a": ("2", "0", "1"), "b": ("1", "1", "0"), "workstation": ("1", "0", "0"),
    }  # fmt: skip
    failure = suites["b"].find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "closed red"
    assert "do: Open it." in (failure.text or "")
    accepted = ElementTree.fromstring(junit([*FOUND, HERE], ("host.memory",)))  # noqa: S314
    assert [suite.get("skipped") for suite in accepted] == ["0", "0", "0"]


def test_accepting_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(MINIMAL)
    loaded = accepting(read(path), ("host.cpu", "host.memory/a", "host.cpu"))
    assert loaded.answers.accept == ("host.disk", "host.cpu", "host.memory/a")
    with pytest.raises(AnswersError, match="--accept: 'a b' is no warning's id"):
        accepting(read(path), ("a b",))


def test_one_check_alone() -> None:
    assert [one.name for one in chosen_checks(["host"])] == ["host"]
    assert len(chosen_checks(())) > 3
    with pytest.raises(AnswersError, match="there is no check 'hots'"):
        chosen_checks(["hots"])


def test_a_failure_that_can_be_mended_names_the_command_that_does_it() -> None:
    remedy = Remedy(title="start it", node="b", commands=(("service", "docker", "start"),))
    assert _nothing_changed(FOUND) == "Nothing was changed."
    assert "check --fix can mend 1 thing" in _nothing_changed([*FOUND, replace(FOUND[2], remedy=remedy)])
