"""The runner: all at once, in bounded time, whatever breaks is a finding."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from oz_installer.checks.all_checks import CHECKS
from oz_installer.checks.base import Check, InstallationCheck, ProbeCheck, ShellCheck
from oz_installer.checks.combined_script import combine_scripts, sections
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel
from oz_installer.checks.database.database import DatabaseCheck
from oz_installer.checks.runner import run_checks, sort_findings
from oz_installer.errors import ConnectError
from oz_installer.remote.transport import CommandResult, ForwardingForbidden, Transport, TunnelRefused
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, BIO, Elsewhere, no_line, site


class Simple(ShellCheck[str]):
    """Says what its script printed."""

    name = "simple"
    title = "Simple"
    text = "echo hello"

    def script(self, site: CheckContext, spot: CheckedNode) -> str:
        return self.text

    def parse(self, text: str) -> str:
        return text.strip()

    def judge(self, site: CheckContext, spot: CheckedNode, facts: str) -> Iterator[Finding]:
        yield self.finding(spot, "ok", facts)


class Greedy(Simple):
    """Its piece must not touch those of the others."""

    name = "greedy"
    text = "cd /; echo before; exit 7"


class BadScript(Simple):
    name = "bad-script"

    def script(self, site: CheckContext, spot: CheckedNode) -> str:
        raise ZeroDivisionError("no script")


class BadParse(Simple):
    name = "bad-parse"

    def parse(self, text: str) -> str:
        raise ValueError("nonsense")


class BadJudge(Simple):
    name = "bad-judge"

    def judge(self, site: CheckContext, spot: CheckedNode, facts: str) -> Iterator[Finding]:
        yield self.finding(spot, "ok", facts)
        raise KeyError("lost")


class Slow(ProbeCheck[str]):
    """Waits until it is let go."""

    name = "slow"
    title = "Slow"

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def probe(self, site: CheckContext, spot: CheckedNode) -> str:
        self.let_go.wait(60)
        return "late"

    def validate(self, site: CheckContext, spot: CheckedNode, facts: str) -> Iterator[Finding]:
        yield self.finding(spot, "ok", facts)


class Unreached(ProbeCheck[str]):
    name = "unreached"
    title = "Unreached"

    def probe(self, site: CheckContext, spot: CheckedNode) -> str:
        raise ConnectError("port 22 of it is closed", "Is sshd running?", node=spot.name)


@dataclass
class Counting(LocalTransport):
    """Counts round trips."""

    name: str = "n1"
    trips: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.name)

    def run(self, argv: Any, **options: Any) -> CommandResult:
        self.trips.append(argv)
        return super().run(argv, **options)


def found(
    *checks: Check[Any], limit: float = 15.0, spots: tuple[CheckedNode, ...] = (API,)
) -> dict[str, Finding]:
    """All findings by id, and that the run ended."""
    told: list[Finding] = []
    lines = {spot.name: Counting(name=spot.name) for spot in spots}
    run_checks(checks, site(lines.__getitem__, spots), told.append, threading.Event(), limit=limit)
    return {one.id: one for one in told}


def test_all_looks_of_a_node_are_one_round_trip_and_keep_apart() -> None:
    lines = {"n1": Counting(name="n1"), "n2": Counting(name="n2")}
    told: list[Finding] = []
    run_checks((Greedy(), Simple()), site(lines.__getitem__), told.append, threading.Event())
    assert [len(line.trips) for line in lines.values()] == [1, 1]
    seen = {one.id: one.seen for one in told}
    assert seen == {
        "greedy/n1": "before",
        "simple/n1": "hello",
        "greedy/n2": "before",
        "simple/n2": "hello",
    }


@pytest.mark.parametrize("bad", [BadScript(), BadParse(), BadJudge()])
def test_a_check_that_breaks_is_a_finding_and_the_others_stand(bad: Simple) -> None:
    seen = found(bad, Simple(), Unreached())
    broken = seen[f"{bad.name}/n1"]
    assert broken.level == "failure"
    assert "internal error in this check" in broken.seen
    assert broken.hint
    assert seen["simple/n1"].level == "ok"
    assert "cannot be reached: port 22" in seen["unreached/n1"].seen
    assert seen["unreached/n1"].hint == "Is sshd running?"


def test_a_node_that_cannot_be_asked_is_one_finding() -> None:
    def gone(name: str) -> Transport:
        raise ConnectError("connection lost", "Look at the network.", node=name)

    class Asking(Slow):
        def probe(self, site: CheckContext, spot: CheckedNode) -> str:
            return site.transport(spot.name).run(("true",)).text

    told: list[Finding] = []
    run_checks((Simple(), Asking(), Greedy()), site(gone, (API,)), told.append, threading.Event())
    assert [(one.id, one.level) for one in told] == [("look/n1", "failure")]
    assert "connection lost" in told[0].seen


class Refusing:
    """A node whose login is taken and runs no command; ``tunnel_error`` is what its tunnels do."""

    host_key_fingerprint = ""

    def __init__(self, name: str, tunnel_error: Exception | None) -> None:
        self.name = name
        self._tunnel_error = tunnel_error

    def run(self, *_: Any, **__: Any) -> CommandResult:
        raise ConnectError("the password of oz has expired", "Set a new one.", node=self.name)

    def stream(self, *_: Any, **__: Any) -> socket.socket:
        raise ConnectError("the password of oz has expired", "Set a new one.", node=self.name)

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        del host, port, timeout
        if self._tunnel_error is not None:
            raise self._tunnel_error
        ours, theirs = socket.socketpair()
        theirs.close()
        return ours

    def forwarding_allowed(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    "tunnel_error",
    [
        pytest.param(ForwardingForbidden("n1"), id="forbidden"),
        pytest.param(TunnelRefused("db:5432", "n1", "open failed"), id="refused"),
        pytest.param(ConnectError("connection lost", node="n1"), id="lost"),
        pytest.param(None, id="cut"),
    ],
)
def test_expired_password_what_could_not_be_tried_is_not_judged(tunnel_error: Exception | None) -> None:
    """EXPIRED-PASSWORD, ROOT-CLOUD, LOST-WHILE-DB: one finding a node, none of the database."""
    told: list[Finding] = []
    at = site(lambda name: Refusing(name, tunnel_error), (API,))
    run_checks(CHECKS, at, told.append, threading.Event())
    seen = {one.id: one.seen for one in told if one.node or one.level != "warning"}
    assert seen == {"look/n1": "cannot be checked: the password of oz has expired"}
    assert next(one.hint for one in told if one.id == "look/n1") == "Set a new one."


@pytest.mark.parametrize("lost", [True, False])
def test_lost_while_db_a_fault_is_reported_only_while_the_node_answers(lost: bool) -> None:
    class Cut(Elsewhere):
        """The connection of this node ends while the database is asked."""

        def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
            del host, port, timeout
            ours, theirs = socket.socketpair()
            theirs.close()
            self.cut = lost
            return ours

        cut = False

        def run(self, argv: Any, **options: Any) -> CommandResult:
            if self.cut:
                raise ConnectError("connection lost: the server closed it", "Run again.", node=self.name)
            return super().run(argv, **options)

    told: list[Finding] = []
    node = Cut("n1")
    run_checks((DatabaseCheck(),), site(lambda _name: node, (API,)), told.append, threading.Event())
    seen = " ".join(one.seen for one in told)
    assert ("connection lost: the server closed it" in seen) is lost
    assert ("does not speak PostgreSQL" in seen) is not lost


def test_output_that_breaks_off_is_told() -> None:
    class Mute(Counting):
        def run(self, argv: Any, **options: Any) -> CommandResult:
            return CommandResult(argv=tuple(argv), status=1, stdout=b"This is\x1b[31m all.\n")

    told: list[Finding] = []
    run_checks((Simple(),), site(lambda name: Mute(name=name), (API,)), told.append, threading.Event())
    assert told[0].seen.endswith("its output is incomplete: This is all.")
    assert "plain shell" not in told[0].hint


def test_what_hangs_is_told_in_time_and_delays_nobody() -> None:
    slow, began = Slow(), time.monotonic()
    told: list[tuple[float, Finding]] = []
    lines = {spot.name: Counting(name=spot.name) for spot in (API, BIO)}
    run_checks(
        (slow, Simple()),
        site(lines.__getitem__),
        lambda one: told.append((time.monotonic() - began, one)),
        threading.Event(),
        limit=1.5,
    )
    assert time.monotonic() - began < 5
    assert {one.id for at, one in told if at < 1.4} == {"simple/n1", "simple/n2"}
    late = [one for _, one in told if one.check == "slow"]
    assert [one.id for one in late] == ["slow/n1", "slow/n2"]
    assert late[0].level == "failure"
    assert "no answer within 1.5 s" in late[0].seen
    slow.let_go.set()


class Clocks(Simple):
    """Two nodes that say the same are told of, and nobody else."""

    name = "clocks"

    def across(self, site: CheckContext, facts: Mapping[str, str]) -> Iterator[Finding]:
        for node in facts if len(set(facts.values())) < len(facts) else ():
            yield self.finding(site.node(node), "warning", "the same", about="same", hint="Change one.")


def test_nodes_are_held_against_each_other_when_all_have_answered() -> None:
    seen = found(Clocks(), spots=(API, BIO))
    assert set(list(seen)[:2]) == {"clocks/n1", "clocks/n2"}
    assert list(seen)[2:] == ["clocks.same/n1", "clocks.same/n2"]

    class Gone(Counting):
        def run(self, argv: Any, **options: Any) -> CommandResult:
            raise ConnectError("connection lost", "Look at the network.", node=self.name)

    told: list[Finding] = []
    lines: dict[str, Transport] = {"n1": Counting(name="n1"), "n2": Gone(name="n2")}
    run_checks((Clocks(),), site(lines.__getitem__), told.append, threading.Event())
    assert {one.id for one in told} == {"clocks/n1", "look/n2"}


def test_what_breaks_while_comparing_is_a_finding() -> None:
    class Broken(Clocks):
        def across(self, site: CheckContext, facts: Mapping[str, str]) -> Iterator[Finding]:
            yield from super().across(site, facts)
            raise KeyError("lost")

    seen = found(Broken(), spots=(API, BIO))
    assert {name: one.level for name, one in seen.items()} == {
        "clocks/n1": "ok", "clocks/n2": "ok", "clocks": "failure",
    }  # fmt: skip


class Whole(InstallationCheck[str]):
    """Of the workstation, and of a pair of nodes."""

    name = "whole"
    title = "Whole"

    def probe(self, site: CheckContext) -> str:
        return "seen"

    def judge(self, site: CheckContext, facts: str) -> Iterator[Finding]:
        yield self.finding(None, "ok", facts, about="file")
        yield self.finding(API, "ok", facts, about="80", target="n2")


@pytest.mark.parametrize(
    ("level", "why", "hint"),
    [
        ("ok", "", "Could be better."),
        ("warning", "It is slow.", "Mend it."),
        ("failure", "It is slow.", "Mend it."),
    ],
)
def test_what_is_amiss_is_told_only_where_something_is(level: FindingLevel, why: str, hint: str) -> None:
    one = Whole().finding(
        API, level, "seen", needed="more", why="It is slow.", hint="Mend it.", hint_when_ok="Could be better."
    )
    assert (one.needed, one.why, one.hint) == ("more", why, hint)


def test_a_survey_is_made_once_and_tells_of_any_node_or_none() -> None:
    seen = found(Whole(), spots=(API, BIO))
    assert {name: one.node for name, one in seen.items()} == {"whole.file": None, "whole.80/n1:n2": "n1"}


def test_a_survey_that_breaks_or_hangs_is_told() -> None:
    class Bad(Whole):
        def probe(self, site: CheckContext) -> str:
            raise ConnectError("port 22 of it is closed", "Is sshd running?", node="n1")

    class Hanging(Whole):
        def probe(self, site: CheckContext) -> str:
            threading.Event().wait(60)
            return ""

    assert "port 22 of it is closed" in found(Bad())["whole"].seen
    assert "no answer within 0.5 s" in found(Hanging(), limit=0.5)["whole"].seen


@pytest.mark.parametrize(
    ("level", "accepted", "taken"),
    [
        ("warning", ("host.memory/n1",), True),
        ("warning", ("host.memory",), True),
        ("warning", ("host.memory/n2", "host", "memory", "host.mem"), False),
        ("failure", ("host.memory/n1", "host.memory"), False),
        ("ok", ("host.memory",), False),
    ],
)
def test_a_warning_is_accepted_for_a_node_or_for_all(
    level: FindingLevel, accepted: tuple[str, ...], taken: bool
) -> None:
    one = Finding(id="host.memory/n1", subject="Memory", node="n1", level=level, seen="little")
    assert one.is_accepted(accepted) == taken


def test_a_stop_is_heeded_at_once_and_nothing_is_told_afterwards() -> None:
    slow, stop = Slow(), threading.Event()
    told: list[Finding] = []
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    run_checks((slow,), site(no_line), told.append, stop)
    assert time.monotonic() - began < 1.5
    slow.let_go.set()
    assert told == []


def test_the_report_is_by_node_then_by_check_then_as_told() -> None:
    def one(name: str, node: str | None) -> Finding:
        return Finding(id=name, subject="s", node=node, level="ok", seen="x")

    names = [("engine/b", "b"), ("host.disk/b", "b"), ("look/b", "b"), ("host.cpu/a", "a"), ("x", None)]
    names += [("host.memory/a", "a"), ("database.tls/a", "a")]
    ordered = sort_findings([one(*pair) for pair in names], ["a", "b"], CHECKS)
    assert [item.id for item in ordered] == [
        "host.cpu/a",
        "host.memory/a",
        "database.tls/a",
        "look/b",
        "host.disk/b",
        "engine/b",
        "x",
    ]


def test_names_are_sections_and_ids_of_their_own() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert not {"end", "look"} & set(names)
    pieces = dict.fromkeys(names, "true")
    text = LocalTransport().run(("sh", "-c", combine_scripts(pieces))).text
    assert list(sections(text)) == [*names, "end"]
