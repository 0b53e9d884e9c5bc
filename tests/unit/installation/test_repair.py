"""Mending: order, where it stops, nodes beside each other, and the list of how to take it back."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.checks.context import Remedy
from oz_installer.deploy.events import Event, Message, NodeProgress
from oz_installer.deploy.gate import DryGate, DryRunChange, Gate
from oz_installer.errors import AnswersError, ConnectError, OzError
from oz_installer.installation.repair import STOPPED, RepairResult, distinct, run_remedies
from oz_installer.installation.undo_log import UndoLog, pending_undos
from oz_installer.remote.transport import CommandResult
from oz_installer.secret import Secret

CANARY = "canary-password"
WAIT_SECONDS = 20


class Fake:
    """A node that notes what it is told to run. ``refused`` is why nobody becomes root there."""

    def __init__(
        self, name: str, answer: Callable[[Sequence[str]], CommandResult] | None = None, refused: str = ""
    ) -> None:
        self.name = name
        self.ran: list[tuple[str, ...]] = []
        self._answer, self._refused = answer, refused

    def run(
        self,
        argv: Sequence[str],
        *,
        become: bool = True,
        timeout: float = 120.0,
        on_output: Callable[[bytes], None] | None = None,
        **_: object,
    ) -> CommandResult:
        assert become
        if self._refused:
            raise ConnectError(self._refused, node=self.name)
        if tuple(argv) == ("true",):
            return CommandResult(argv=tuple(argv), status=0)
        assert timeout > 600
        self.ran.append(tuple(argv))
        if on_output is not None:
            on_output(b"Get:1 pack")
            on_output(b"ages\nGet:2 more\nunfin")
        return self._answer(argv) if self._answer else CommandResult(argv=tuple(argv), status=0)


def failing(word: str) -> Callable[[Sequence[str]], CommandResult]:
    """Fails where the command has this word."""

    def answer(argv: Sequence[str]) -> CommandResult:
        wrong = word in argv
        text = f"E: one\nE: of \x1b[31m{CANARY}\nE: no such package".encode() if wrong else b""
        return CommandResult(argv=tuple(argv), status=100 if wrong else 0, stderr=text)

    return answer


class Site:
    """What mending needs of an installation."""

    def __init__(self, folder: Path, *nodes: Fake) -> None:
        database = SimpleNamespace(host="db", port=5432, sslmode="require", admin_user=None)
        hosts = [
            SimpleNamespace(name=node.name, host=f"10.0.0.{place}", port=None)
            for place, node in enumerate(nodes, 1)
        ]
        loaded = SimpleNamespace(answers=SimpleNamespace(database=database, nodes=hosts))
        secrets = Secrets({"nodes.a.password": Secret(CANARY)})
        self.inputs: Any = SimpleNamespace(path=folder / "answers.yml", secrets=secrets, loaded=loaded)
        self.nodes: dict[str, Any] = {node.name: node for node in nodes}

    def mend(
        self,
        remedies: Sequence[Remedy],
        tell: Callable[[Event], None] = lambda _event: None,
        stop: threading.Event | None = None,
        gate: Gate | None = None,
    ) -> list[RepairResult]:
        node_of = self.nodes.__getitem__
        return run_remedies(self.inputs, node_of, remedies, tell, stop or threading.Event(), gate=gate)


def remedy(node: str, title: str, *commands: str, undo: Sequence[str] = (), database: str = "") -> Remedy:
    return Remedy(
        title=title,
        node=node,
        commands=tuple(tuple(command.split()) for command in commands),
        undo=tuple(tuple(command.split()) for command in undo),
        database=database,
    )


def test_every_command_passes_the_gate(tmp_path: Path) -> None:
    node, reported = Fake("a"), list[DryRunChange]()
    done = Site(tmp_path, node).mend([remedy("a", "one", "c 1", "c 2")], gate=DryGate(reported.append))
    assert node.ran == []
    assert [(one.node, one.what, one.argv) for one in reported] == [
        ("a", "one", ("c", "1")), ("a", "one", ("c", "2")),
    ]  # fmt: skip
    assert [one.commands for one in done] == [2]


def test_commands_run_in_order_and_everything_is_told(tmp_path: Path) -> None:
    node, told = Fake("a"), list[Event]()
    first, second = remedy("a", "one", "c 1", "c 2"), remedy("a", "two", "c 3")
    done = Site(tmp_path, node).mend([first, second], told.append)
    assert node.ran == [("c", "1"), ("c", "2"), ("c", "3")]
    assert [(one.remedy, one.commands, one.error) for one in done] == [(first, 2, ""), (second, 1, "")]
    assert [event.text for event in told if isinstance(event, Message)] == [
        "one ...", "one: done", "two ...", "two: done",
    ]  # fmt: skip
    assert "one: Get:2 more" in [event.text for event in told if isinstance(event, NodeProgress)]


def test_the_first_command_that_fails_is_its_nodes_last(tmp_path: Path) -> None:
    bad, good = Fake("a", failing("2")), Fake("b")
    remedies = [
        remedy("a", "one", "c 1", "c 2", "c 3"),
        remedy("b", "other", "c 2"),
        remedy("a", "two", "c 4"),
    ]
    told: list[Event] = []
    done = Site(tmp_path, bad, good).mend(remedies, told.append)
    assert bad.ran == [("c", "1"), ("c", "2")]
    assert good.ran == [("c", "2")]
    assert [one.commands for one in done] == [1, 1, 0]
    assert done[0].error == "«c 2» ended with status 100: E: one E: of ******** E: no such package"
    (words,) = [event.text for event in told if isinstance(event, Message) and event.level == "error"]
    assert words.startswith(done[0].error)
    assert "Done before that: «c 1». The failed command may have been done in part." in words
    assert done[1].error == ""
    assert done[2].error.startswith("not tried")
    assert [event.node for event in told if isinstance(event, Message) and event.level == "error"] == ["a"]
    assert CANARY not in repr(told) + repr(done) + (tmp_path / "answers.undo.txt").read_text()


def test_nodes_are_mended_beside_each_other(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=WAIT_SECONDS)

    def answer(argv: Sequence[str]) -> CommandResult:
        both.wait()
        return CommandResult(argv=tuple(argv), status=0)

    nodes = [Fake("a", answer), Fake("b", answer)]
    done = Site(tmp_path, *nodes).mend([remedy("a", "x", "c"), remedy("b", "x", "c")])
    assert [one.error for one in done] == ["", ""]


def test_after_a_stop_nothing_begins(tmp_path: Path) -> None:
    stop = threading.Event()

    def answer(argv: Sequence[str]) -> CommandResult:
        stop.set()
        return CommandResult(argv=tuple(argv), status=0)

    node = Fake("a", answer)
    done = Site(tmp_path, node).mend([remedy("a", "x", "c 1", "c 2"), remedy("a", "y", "c 3")], stop=stop)
    assert node.ran == [("c", "1")]
    assert [(one.commands, one.error) for one in done] == [(1, STOPPED), (0, STOPPED)]
    text = (tmp_path / "answers.undo.txt").read_text()
    assert "a  y" not in text


def test_the_list_is_written_before_anything_is_done(tmp_path: Path) -> None:
    path = tmp_path / "answers.undo.txt"
    seen: list[str] = []

    def answer(argv: Sequence[str]) -> CommandResult:
        seen.append(path.read_text())
        return CommandResult(argv=tuple(argv), status=0)

    one = Remedy(
        title="make /srv/o z",
        node="a",
        commands=(("mkdir", "/srv/o z; rm"),),
        undo=(("rmdir", "/srv/o z; rm"),),
    )
    Site(tmp_path, Fake("a", answer)).mend([one])
    assert "  run   mkdir '/srv/o z; rm'\n  undo  rmdir '/srv/o z; rm'\n" in seen[0]
    assert "UTC  a  make /srv/o z: done" not in seen[0]
    Site(tmp_path, Fake("a")).mend([remedy("a", "later", "c")])
    text = path.read_text()
    assert text.startswith(seen[0])
    assert text.count("# oz-install check --undo") == 1
    assert text.splitlines()[-1].endswith("UTC  a  later: done")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_list_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "answers.undo.txt").mkdir()
    node = Fake("a")
    with pytest.raises(OzError, match="cannot write"):
        Site(tmp_path, node).mend([remedy("a", "x", "c")])
    assert node.ran == []


def test_a_database_needs_its_administrator(tmp_path: Path) -> None:
    node = Fake("a")
    one = remedy("a", "make the database", "CREATE DATABASE gateway", database="postgres")
    done = Site(tmp_path, node).mend([one, remedy("a", "x", "c")])
    assert [bool(one.error) for one in done] == [True, False]
    assert "administrator" in done[0].error
    assert done[0].tried == 0
    assert "  run   CREATE DATABASE gateway\n" in (tmp_path / "answers.undo.txt").read_text()


def test_what_mends_a_database_is_done_once() -> None:
    one, same = (remedy(node, "x", "CREATE ROLE oz", database="postgres") for node in ("a", "b"))
    apart = [remedy(node, "x", "systemctl start docker") for node in ("a", "b")]
    assert distinct([one, *apart, same, apart[0]]) == [one, *apart]


def test_the_list_takes_everything_back_once_and_the_last_first(tmp_path: Path) -> None:
    site, path = Site(tmp_path, Fake("a"), Fake("b", failing("2"))), tmp_path / "answers.undo.txt"
    site.mend([remedy("a", "one", "c 1", undo=["u 1", "u 2"])])
    odd = Remedy(title="odd", node="a", commands=(("c", "x y"),), undo=(("u", "it's; $HOME"),))
    site.mend([odd])
    Site(tmp_path, Fake("b", refused="no")).mend([remedy("b", "never began", "c 2", undo=["u 3"])])
    site.mend([remedy("b", "failed later", "c 1", "c 2", undo=["u 4"])])
    site.mend([remedy("b", "for good", "c 1")])
    UndoLog(path).begin(remedy("a", "killed", "c 1", undo=["u 5"]))
    back = pending_undos(path)
    assert [one.commands for one in back] == [
        (("u", "5"),), (("u", "4"),), (("u", "it's; $HOME"),), (("u", "1"), ("u", "2")),
    ]  # fmt: skip
    assert [one.node for one in back] == ["a", "b", "a", "a"]
    assert back[-1].title.startswith("undo what was done at ")
    assert back[-1].title.endswith(": one")

    assert [one.error for one in site.mend(back[:1] + back[2:3])] == ["", ""]
    assert pending_undos(path) == [back[1], back[3]]
    site.mend([odd])
    assert pending_undos(path)[0].commands == (("u", "it's; $HOME"),)


def test_statements_are_taken_back_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "answers.undo.txt"
    one = Remedy(
        title="make the role",
        node="a",
        commands=(('CREATE ROLE "o\'z" LOGIN',),),
        undo=(('DROP ROLE "o\'z"',),),
        database="postgres",
    )
    UndoLog(path).begin(one)
    UndoLog(path).end(one, 1, "", 1)
    back = pending_undos(path)
    assert [(one.database, one.commands) for one in back] == [("postgres", one.undo)]


def test_what_was_done_on_another_server_is_left_alone(tmp_path: Path) -> None:
    node = Fake("a")
    site, path = Site(tmp_path, node), tmp_path / "answers.undo.txt"
    site.mend([remedy("a", "one", "c 1", undo=["u 1"])])
    written = path.read_text()
    assert "  at    10.0.0.1:22\n" in written
    moved = Site(tmp_path, Fake("b"), node)  # a is 10.0.0.2 now
    (done,) = moved.mend(pending_undos(path))
    assert (
        done.error == "that was done on 10.0.0.1:22, and the answers name 10.0.0.2:22 now: nothing was done"
    )
    assert node.ran == [("c", "1")]
    assert path.read_text() == written
    assert [one.error for one in site.mend(pending_undos(path))] == [""]


def test_the_database_of_another_server_is_left_alone(tmp_path: Path) -> None:
    site = Site(tmp_path, Fake("a"))
    one = Remedy(title="drop", node="a", commands=(("DROP ROLE x",),), database="postgres", at="old:5432")
    (done,) = site.mend([one])
    assert done.error.startswith("that was done on old:5432, and the answers name db:5432 now")


def test_without_a_list_there_is_nothing_to_take_back(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match="cannot read"):
        pending_undos(tmp_path / "answers.undo.txt")


def test_the_words_of_older_logs_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "answers.undo.txt"
    at = "2026-01-02 03:04:05"
    path.write_text(
        f"{at} UTC  a  one\n  run   c 1\n  undo  u 1\n{at} UTC  a  one: done\n"
        f"{at} UTC  a  two\n  run   c 2\n  undo  u 2\n  undo  u 3\n"
        f"{at} UTC  a  two: no; 1 of 2 commands were done; left to take back:\n  undo  u 3\n"
        f"{at} UTC  a  three\n  run   c 3\n  undo  u 4\n"
        f"{at} UTC  a  three: no; 1 of 2 commands were done; nothing is left to take back\n"
        f"{at} UTC  a  take back what was done at {at}: one\n  run   u 1\n"
        f"{at} UTC  a  take back what was done at {at}: one: done\n"
    )
    assert [one.commands for one in pending_undos(path)] == [(("u", "3"),)]
