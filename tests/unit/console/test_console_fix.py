"""``check --fix``: what is shown, when it is asked, how it goes on and ends."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oz_installer.checks.context import Finding, Remedy
from oz_installer.console.commands import fix
from oz_installer.console.commands.check import raise_on_failures
from oz_installer.console.commands.check_task import CheckFlags
from oz_installer.console.commands.fix import FixResult, remedy_lines
from oz_installer.errors import AnswersError, Interrupted, PreflightError
from oz_installer.installation.repair import RepairResult
from oz_installer.secret import Masker, Secret

START = Remedy(
    title="start Docker",
    node="a",
    commands=(("service", "docker", "start"),),
    undo=(("service", "docker", "stop"),),
)
MODE = Remedy(
    title="make /opt/oz writable by its owner only", node="a", commands=(("chmod", "o-w", "/opt/o  z"),)
)
SQL = Remedy(title="make the database", node="b", commands=(("CREATE DATABASE x",),), database="postgres")


def finding(name: str, remedy: Remedy | None = None, level: Any = "failure", node: str = "a") -> Finding:
    return Finding(
        id=f"{name}/{node}",
        subject=name.title(),
        node=node,
        level=level,
        seen="is bad",
        hint="Mend.",
        remedy=remedy,
    )


OK = finding("host", level="ok")


class Case:
    """A run in which one check after the other finds what is given."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *rounds: Sequence[Finding],
        terminal: bool = False,
        error: str = "",
    ) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.rounds = [list(found) for found in rounds]
        self.mended: list[list[Remedy]] = []
        self.order: list[str] = []
        self.error = error
        monkeypatch.setattr(fix, "run_check", self._looked)
        monkeypatch.setattr(fix, "repair", self._mend)
        monkeypatch.setattr(fix, "is_interactive", lambda _stream: terminal)
        monkeypatch.setattr("sys.stdout", self.out)
        monkeypatch.setattr("sys.stderr", self.err)

    def _looked(self, *_: Any) -> list[Finding]:
        self.order.append("check")
        return self.rounds.pop(0)

    def _mend(
        self, _loaded: Any, _path: Any, _open: Any, remedies: Sequence[Remedy], *_: Any, **__: Any
    ) -> list[RepairResult]:
        self.order.append("mend")
        self.mended.append(list(remedies))
        return [
            RepairResult(
                remedy=one,
                commands=0 if self.error else len(one.commands),
                error=self.error,
                tried=1,
            )
            for one in remedies
        ]

    def run(self, flags: CheckFlags, *accepted: str) -> FixResult:
        loaded = SimpleNamespace(answers=SimpleNamespace(accept=accepted))
        task: Any = SimpleNamespace(
            loaded=loaded,
            path=Path("/nowhere/answers.yml"),
            flags=flags,
            open_node=None,
            ask=None,
            masker=Masker((Secret("o-w"),)),
        )
        return fix.fix(task, self.rounds.pop(0))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


def test_what_is_shown() -> None:
    pairs = [(START, finding("engine")), (MODE, finding("host")), (SQL, finding("database", node="b"))]
    assert "\n".join(remedy_lines(pairs)) == (
        "3 things can be fixed; the commands run as root, SQL as the database's administrator:\n"
        "\n"
        "a\n"
        "  Engine: is bad\n"
        "  start Docker:\n"
        "    service docker start\n"
        "  undone by:\n"
        "    service docker stop\n"
        "  Host: is bad\n"
        "  make /opt/oz writable by its owner only:\n"
        "    chmod o-w '/opt/o  z'\n"
        "\n"
        "b\n"
        "  Database: is bad\n"
        "  make the database in the database postgres:\n"
        "    CREATE DATABASE x\n"
    )


def test_it_is_done_and_looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [OK, finding("engine", START)], [OK])
    fixed = case.run(CheckFlags(fix=True, yes=True))
    assert case.order == ["mend", "check"]
    assert case.mended == [[START]]
    assert fixed.found == [OK]
    fixed.refuse()
    assert case.out.getvalue() == ""
    assert "service docker start" in case.err.getvalue()
    assert "those that undo them, are in /nowhere/answers.undo.txt" in case.err.getvalue()


def test_what_comes_to_light_is_mended_next_and_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = finding("engine", START), finding("host", MODE, "warning")
    case = Case(monkeypatch, [first], [first, second], [first])
    assert case.run(CheckFlags(fix=True, yes=True)).found == [first]
    assert case.mended == [[START], [MODE]]


def test_an_endless_supply_of_remedies_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = [
        [finding("engine", Remedy(title="x", node="a", commands=((str(number),),)))] for number in range(20)
    ]
    case = Case(monkeypatch, *rounds)
    case.run(CheckFlags(fix=True, yes=True))
    assert len(case.mended) == fix.ROUNDS


def test_nothing_to_mend_and_what_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [finding("host", MODE, "warning"), finding("ports")])
    fixed = case.run(CheckFlags(fix=True), "host")
    assert case.err.getvalue().startswith("check --fix has no fix for these findings.")
    assert (case.order, fixed.done, fixed.hint) == ([], [], "Nothing was changed.")
    case = Case(monkeypatch, [finding("host", MODE, "warning")])
    case.run(CheckFlags(fix=True), "host")
    assert case.err.getvalue() == "There is nothing to fix.\n"


def test_without_a_terminal_it_takes_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [finding("engine", START)])
    with pytest.raises(AnswersError, match="there is no terminal for the confirmation") as raised:
        case.run(CheckFlags(fix=True))
    assert "--yes" in raised.value.hint
    assert raised.value.exit_code == 2
    assert case.order == []
    assert "service docker start" in case.err.getvalue()


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_it_is_asked(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    case = Case(monkeypatch, [finding("engine", START)], [OK], terminal=True)
    asked: list[str] = []

    def confirm(text: str, **_: object) -> bool:
        asked.append(text)
        return answer

    monkeypatch.setattr("click.confirm", confirm)
    if answer:
        case.run(CheckFlags(fix=True))
    else:
        with pytest.raises(Interrupted, match="nothing was changed"):
            case.run(CheckFlags(fix=True))
    assert asked == ["Continue?"]
    assert case.mended == ([[START]] if answer else [])


def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [finding("host", MODE)], [OK])
    case.run(CheckFlags(fix=True, yes=True, json=True))
    told, mended = case.events
    assert (told["event"], told["id"], told["node"], told["title"]) == ("Remedy", "host/a", "a", MODE.title)
    assert told["commands"] == [["chmod", "********", "/opt/o  z"]]
    assert (mended["event"], mended["done"], mended["of"], mended["error"]) == ("Mended", 1, 1, "")
    assert mended["undo_list"] == "/nowhere/answers.undo.txt"
    assert mended["left"] == []  # MODE has nothing that takes it back
    assert case.err.getvalue() == ""


def test_what_could_not_be_mended_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    warning = finding("host", MODE, "warning")
    case = Case(monkeypatch, [warning], [warning], error="status 1: no")
    fixed = case.run(CheckFlags(fix=True, yes=True))
    with pytest.raises(PreflightError, match="1 thing could not be fixed: a: status 1: no") as raised:
        fixed.refuse()
    assert "answers.undo.txt" in raised.value.hint
    with pytest.raises(PreflightError) as raised:
        raise_on_failures([finding("ports")], fixed.hint)
    assert "Nothing was changed" not in raised.value.hint


def test_what_is_half_done_is_told_with_its_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, [finding("engine", START)], [finding("engine", START)], error="status 1: no")
    fixed = case.run(CheckFlags(fix=True, yes=True, json=True))
    assert case.events[-1]["left"] == [["service", "docker", "stop"]]
    with pytest.raises(PreflightError) as raised:
        fixed.refuse()
    assert "may have been done in part. Run oz-install check --undo, or fix the cause" in raised.value.hint
