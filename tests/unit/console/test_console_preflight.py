"""The preflight before an installation: what stops it, and how it says so."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from oz_installer.checks.context import Finding, Remedy
from oz_installer.console.commands import preflight as module
from oz_installer.console.commands.install_flags import InstallFlags
from oz_installer.errors import PreflightError

OK = Finding(id="host.cpu/a", subject="CPU", node="a", level="ok", seen="8 cores")
WARNING = Finding(
    id="host.memory/a", subject="Memory", node="a", level="warning", seen="2 GB", hint="Buy some."
)
FAILURE = Finding(
    id="ports.80/b", subject="Port 80", node="b", level="failure", seen="taken", hint="Free it."
)


class Case:
    """A run in which the checks find what is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, found: Sequence[Finding], *, terminal: bool) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.asked: list[Any] = []

        def examined(*args: Any, **_: Any) -> list[Finding]:
            self.asked.append(args)
            return list(found)

        monkeypatch.setattr(module, "preflight_findings", examined)
        monkeypatch.setattr(module, "is_interactive", lambda _stream: terminal)
        monkeypatch.setattr("sys.stdout", self.out)
        monkeypatch.setattr("sys.stderr", self.err)

    def run(self, flags: InstallFlags, *accepted: str) -> int:
        """The preflight of answers that accept these warnings; how many it leaves to be asked about."""
        prepared: Any = SimpleNamespace(
            desired_state=SimpleNamespace(answers=SimpleNamespace(accept=accepted))
        )
        return module.preflight(prepared, flags)


def test_all_is_well_and_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [OK], terminal=False)
    case.run(InstallFlags(yes=True))
    assert len(case.asked) == 1
    assert case.out.getvalue() == case.err.getvalue() == ""


def test_a_failure_stops_the_run_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    for flags, terminal in ((InstallFlags(), True), (InstallFlags(yes=True), True), (InstallFlags(), False)):
        case = Case(monkeypatch, [OK, WARNING, FAILURE], terminal=terminal)
        with pytest.raises(PreflightError, match=r"1 check failed \(b\)"):
            case.run(flags, "host.memory")
        assert "Free it." in case.err.getvalue()
        assert "8 cores" not in case.err.getvalue()
        assert "3 checks: 1 ok, 1 warning (1 accepted), 1 failure" in case.err.getvalue()
        assert case.out.getvalue() == ""


def test_a_warning_needs_leave_where_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for flags, terminal in ((InstallFlags(yes=True), True), (InstallFlags(), False)):
        case = Case(monkeypatch, [OK, WARNING], terminal=terminal)
        with pytest.raises(PreflightError, match="1 warning not accepted; nothing was changed") as raised:
            case.run(flags)
        assert "--accept host.memory " in raised.value.hint
        assert raised.value.exit_code == 3
        case.run(flags, "host.memory/a")


def test_an_id_that_matches_nothing_is_told_beside_the_warning_that_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remedy = Remedy(title="mend it", node="a", commands=(("x",),))
    case = Case(monkeypatch, [OK, replace(WARNING, remedy=remedy)], terminal=False)
    with pytest.raises(PreflightError) as raised:
        case.run(InstallFlags(), "host.memroy")
    assert "Run oz-install check --fix to fix 1 finding." in raised.value.hint
    assert "host.memroy (did you mean host.memory?)" in case.err.getvalue()


def test_a_warning_on_a_terminal_is_shown_before_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [OK, WARNING], terminal=True)
    assert case.run(InstallFlags()) == 1
    assert "2 GB" in case.err.getvalue()
    assert case.run(InstallFlags(), "host.memory") == 0, "it was accepted before"


def test_json_tells_what_is_bad_as_events(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [OK, FAILURE], terminal=False)
    with pytest.raises(PreflightError):
        case.run(InstallFlags(json=True))
    lines = [json.loads(line) for line in case.out.getvalue().splitlines()]
    assert [(line["event"], line["id"]) for line in lines] == [("Finding", "ports.80/b")]
    assert case.err.getvalue() == ""


def test_who_skips_the_checks_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [FAILURE], terminal=False)
    case.run(InstallFlags(skip_checks=True))
    assert case.asked == []
