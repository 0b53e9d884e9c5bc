"""The preflight's report as text and as JSON lines."""

from __future__ import annotations

import json

from oz_installer.checks.model import Finding
from oz_installer.unattended.checking import findings_json, findings_text

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
