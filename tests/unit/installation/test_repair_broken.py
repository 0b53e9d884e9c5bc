"""Mending that ends early: what is half done is told, and stays on the list until it is taken back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.checks.context import Remedy
from oz_installer.checks.database import postgres_admin
from oz_installer.checks.database.postgres_admin import StatementsFailed
from oz_installer.errors import ConnectError
from oz_installer.installation.repair import run_remedies
from oz_installer.installation.undo_log import UndoLog, pending_undos
from oz_installer.remote.transport import CommandResult
from tests.unit.installation.test_repair import Fake, Site, failing, remedy


def breaking(_argv: Sequence[str]) -> CommandResult:
    """The connection breaks while the command runs."""
    raise ConnectError("connection lost", node="a")


def test_a_connection_that_breaks_is_told_and_written_down(tmp_path: Path) -> None:
    """Nobody knows how far the command came: it is taken back."""
    path = tmp_path / "answers.undo.txt"
    done = Site(tmp_path, Fake("a", breaking)).mend([remedy("a", "x", "c 1", "c 2", undo=["u 1"])])
    assert (done[0].commands, done[0].tried, done[0].undo_commands) == (0, 1, (("u", "1"),))
    assert done[0].error == "«c 1» was started, but its result is unknown: connection lost"
    assert "connection lost; 0 of 2 commands were done, the next one maybe in part" in path.read_text()
    assert [one.commands for one in pending_undos(path)] == [(("u", "1"),)]


def test_what_never_began_is_not_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "answers.undo.txt"
    site = Site(tmp_path, Fake("a", refused="sudo wants a password for oz"))
    done = site.mend([remedy("a", "x", "c 1", undo=["u 1"])])
    assert (done[0].error, done[0].tried) == ("sudo wants a password for oz", 0)
    assert done[0].failure_advice == "Nothing was done."
    site.nodes.clear()  # nobody gets there

    def reach(name: str) -> Any:
        raise ConnectError(f"no way to {name}", node=name)

    done = run_remedies(
        site.inputs, reach, [remedy("a", "y", "c 1", undo=["u 2"])], lambda _: None, threading.Event()
    )
    assert (done[0].error, done[0].tried) == ("no way to a", 0)
    assert path.read_text().count("; nothing was done\n") == 2
    assert pending_undos(path) == []


def test_only_what_was_begun_is_taken_back(tmp_path: Path) -> None:
    """A command that fails may have begun to change something; those after it have not."""
    path = tmp_path / "answers.undo.txt"
    site = Site(tmp_path, Fake("a", failing("2")))
    steps = remedy("a", "steps", "c 1", "c 2", "c 3", undo=["u 3", "u 2", "u 1"])
    site.mend([replace(steps, undo_of=(2, 1, 0))])
    assert [one.commands for one in pending_undos(path)] == [(("u", "2"), ("u", "1"))]
    assert path.read_text().endswith(
        "no such package; 1 of 3 commands were done, the next one maybe in part; left to undo:\n"
        "  undo  u 2\n  undo  u 1\n"
    )
    done = site.mend([replace(remedy("a", "update", "c 2", "c 3", undo=["u 4"]), undo_of=(1,))])
    assert "check --undo" not in done[0].failure_advice
    assert len(pending_undos(path)) == 1
    done = site.mend([remedy("a", "at once", "c 2", undo=["u 5"])])
    assert "Run oz-install check --undo, or fix the cause" in done[0].failure_advice
    assert pending_undos(path)[0].commands == (("u", "5"),)


def test_a_stop_leaves_what_was_done_on_the_list(tmp_path: Path) -> None:
    stop = threading.Event()

    def answer(argv: Sequence[str]) -> CommandResult:
        stop.set()
        return CommandResult(argv=tuple(argv), status=0)

    both = replace(remedy("a", "x", "c 1", "c 2", undo=["u 2", "u 1"]), undo_of=(1, 0))
    Site(tmp_path, Fake("a", answer)).mend([both], stop=stop)
    assert [one.commands for one in pending_undos(tmp_path / "answers.undo.txt")] == [(("u", "1"),)]


def test_taking_back_that_fails_halfway_can_be_tried_again(tmp_path: Path) -> None:
    path, fails = tmp_path / "answers.undo.txt", Site(tmp_path, Fake("a", failing("2")))
    fails.mend([remedy("a", "one", "c 1", undo=["u 1", "u 2"])])
    back = pending_undos(path)
    assert [(one.commands, one.error[:7]) for one in fails.mend(back)] == [(1, "«u 2» e")]
    assert pending_undos(path) == back
    Site(tmp_path, Fake("a", breaking)).mend(back)
    assert pending_undos(path) == back
    UndoLog(path).begin(back[0])  # killed
    assert pending_undos(path) == back
    again = Fake("a")
    assert [one.error for one in Site(tmp_path, again).mend(back)] == [""]
    assert again.ran == [("u", "1"), ("u", "2")]
    assert pending_undos(path) == []


def test_entries_that_are_alike_keep_their_own_ends(tmp_path: Path) -> None:
    """What was tried twice is on the list twice: the second one's end does not hide the first one's error."""
    path = tmp_path / "answers.undo.txt"
    for title in ("first", "second"):
        Site(tmp_path, Fake("a", breaking)).mend([remedy("a", title, "c 1", undo=["u 1"])])
    back = pending_undos(path)
    assert [one.commands for one in back] == [(("u", "1"),)] * 2
    done = Site(tmp_path, Fake("a", failing("1")), Fake("b")).mend(
        [back[0], remedy("b", "x", "u 1"), back[1]]
    )
    assert [one.remedy for one in done] == [back[0], remedy("b", "x", "u 1"), back[1]]
    assert [one.error[:9] for one in done] == ["«u 1» end", "", "not tried"]
    assert pending_undos(path) == back
    assert [one.error for one in Site(tmp_path, Fake("a")).mend(back)] == ["", ""]
    assert pending_undos(path) == []


def test_what_is_still_to_be_run_begins_with_what_failed(tmp_path: Path) -> None:
    (done,) = Site(tmp_path, Fake("a", failing("2"))).mend([remedy("a", "x", "u 1", "u 2", "u 3")])
    assert done.remaining == (("u", "2"), ("u", "3"))


def test_what_was_killed_stays_when_the_next_try_never_begins(tmp_path: Path) -> None:
    path, one = tmp_path / "answers.undo.txt", remedy("a", "x", "c 1", undo=["u 1"])
    UndoLog(path).begin(one)
    Site(tmp_path, Fake("a", refused="no")).mend([one])
    assert [back.commands for back in pending_undos(path)] == [(("u", "1"),)]


@pytest.mark.parametrize(
    ("tried", "left", "told"),
    [
        (1, ('REVOKE "oz" FROM "boss"',), "1 of 3 commands were done; left to undo:"),
        (
            2,
            ('DROP DATABASE "x y"', 'REVOKE "oz" FROM "boss"'),
            "1 of 3 commands were done, the next one maybe",
        ),
        (0, (), "; nothing was done"),
    ],
)
def test_statements_that_were_refused_or_broke_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: int, left: tuple[str, ...], told: str
) -> None:
    """PostgreSQL takes back what it refuses; where the connection broke nobody knows."""
    one = Remedy(
        title="make the database",
        node="a",
        commands=(('GRANT "oz" TO "boss"',), ('CREATE DATABASE "x y"',), ('REVOKE "oz" FROM "boss"',)),
        undo=(('DROP DATABASE "x y"',), ('REVOKE "oz" FROM "boss"',)),
        undo_of=(1, 0),
        database="postgres",
    )

    def run(*_: object) -> None:
        raise StatementsFailed("could not: no", node="a", done=min(tried, 1), tried=tried)

    monkeypatch.setattr(postgres_admin, "run_statements", run)
    monkeypatch.setattr(postgres_admin, "admin_connection", lambda *_: object())
    path, site = tmp_path / "answers.undo.txt", Site(tmp_path, Fake("a"))
    (done,) = site.mend([one])
    assert (done.commands, done.tried, done.undo_commands) == (
        min(tried, 1),
        tried,
        tuple((text,) for text in left),
    )
    assert told in path.read_text()
    back = pending_undos(path)
    assert [(one.database, one.commands) for one in back] == (
        [("postgres", done.undo_commands)] if left else []
    )
