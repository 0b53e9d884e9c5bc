"""A node whose SSH port takes the connection and says nothing leaves the others their findings."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.file import read
from oz_installer.answers.model import Node
from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.checks.base import Check, ProbeCheck, ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.network import firewall, port_probe
from oz_installer.checks.network.firewall import NodeFirewall
from oz_installer.checks.network.port_matrix import PortMatrixCheck
from oz_installer.checks.runner import run_checks
from oz_installer.errors import ConnectError
from oz_installer.installation.check import run_preflight
from oz_installer.installation.nodes.connection_pool import ConnectionPool
from oz_installer.remote.ssh.transport import SshTarget, connect
from oz_installer.remote.transport import Transport
from oz_installer.topology.model import Edge
from tests.local_transport import LocalTransport
from tests.unit.checks.network.test_checks_network import free, planned

NAMES = ("n1", "n2", "n3", "n4")
SPOTS = tuple(CheckedNode(name=name, roles=("api",)) for name in NAMES)


class Hello(ShellCheck[str]):
    """One word of every node."""

    name = "hello"
    title = "Hello"

    def script(self, site: CheckContext, spot: CheckedNode) -> str:
        return "echo hello"

    def parse(self, text: str) -> str:
        return text.strip()

    def judge(self, site: CheckContext, spot: CheckedNode, facts: str) -> Iterator[Finding]:
        yield self.finding(spot, "ok", facts)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a listener that the kernel answers for, as for a stopped sshd."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def four(reach: Callable[[str], Transport]) -> CheckContext:
    """All four are this machine; each reaches every other at a port of its own."""
    one, ports = planned(), dict(zip(NAMES, free(4), strict=True))
    assert one.topology
    node = one.topology.nodes[0]
    nodes = tuple(replace(node, name=name, address="127.0.0.1") for name in NAMES)
    edges = tuple(
        Edge(source=source, target=target, port=ports[target], purpose="x")
        for source in NAMES
        for target in NAMES
        if source != target
    )
    return replace(
        one, transport=reach, nodes=SPOTS, topology=replace(one.topology, nodes=nodes, edges=edges)
    )


def told(reach: Callable[[str], Transport], *checks: Check[Any], limit: float = 15.0) -> list[Finding]:
    """What a run of these checks tells."""
    found: list[Finding] = []
    run_checks(checks, four(reach), found.append, threading.Event(), limit=limit)
    return found


def but_n1(open_n1: Callable[[], Transport]) -> Callable[[str], Transport]:
    """Reaches every node but the first as this machine."""
    return lambda name: open_n1() if name == "n1" else LocalTransport(name, become="none")


def ways_between_the_others(found: list[Finding]) -> dict[str, str]:
    return {one.id: one.seen for one in found if one.check == "network" and one.level == "ok"}


OTHERS = {f"network/{name}": "2 connections to 2 other nodes" for name in NAMES[1:]}


@pytest.mark.parametrize("checks", [(Hello(), PortMatrixCheck()), (PortMatrixCheck(),)])
def test_a_silent_node_is_told_once_and_the_ways_between_the_others_are_judged(
    silent: int, checks: tuple[Check[Any], ...]
) -> None:
    target = SshTarget(name="n1", host="127.0.0.1", port=silent, user="x", jump="")
    lines = ConnectionPool(but_n1(lambda: connect(target, timeout=1.0)), patience=5.0)
    began = time.monotonic()
    found = told(lines, *checks, limit=8.0)
    assert time.monotonic() - began < 6
    lines.close()
    assert [one.id for one in found if one.level != "ok"] == ["look/n1"]
    gone = next(one for one in found if one.id == "look/n1")
    assert "did not finish the SSH handshake in 1 s" in gone.seen
    assert "Check that sshd is running there" in gone.hint
    assert ways_between_the_others(found) == OTHERS


def test_a_node_that_takes_its_time_to_let_us_in_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unlike one that cannot be reached it is told by this check: else nobody would know of its ways."""
    monkeypatch.setattr(port_probe, "REACH_SECONDS", 0.5)
    tried = threading.Event()
    really_tried = port_probe._try_connections

    def tell(*args: Any) -> Any:
        facts = really_tried(*args)
        tried.set()
        return facts

    monkeypatch.setattr(port_probe, "_try_connections", tell)

    def late() -> Transport:
        assert tried.wait(20)
        return LocalTransport("n1", become="none")

    found = told(but_n1(late), Hello(), PortMatrixCheck())
    assert ways_between_the_others(found) == OTHERS
    (slow,) = [one for one in found if one.level != "ok"]
    assert (slow.id, slow.level) == ("network.untried/n1", "warning")
    assert slow.seen == ("connections to and from n1 were not tried: connecting to it takes more than 0.5 s")


def test_several_that_hang_are_waited_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_probe, "REACH_SECONDS", 1.0)
    monkeypatch.setattr(port_probe, "_UNREACHED_AT", 1.5)
    let_go = threading.Event()

    def reach(name: str) -> Transport:
        if name in ("n1", "n3"):
            let_go.wait(60)
            raise ConnectError("gone", node=name)
        return LocalTransport(name, become="none")

    found = told(reach, PortMatrixCheck(), limit=5.0)
    let_go.set()
    assert {one.id: one.level for one in found} == {
        "network/n2": "ok",
        "network/n4": "ok",
        "network.untried/n1": "warning",
        "network.untried/n3": "warning",
    }


def test_a_session_that_does_not_open_is_given_up_and_closed_when_it_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where ``MaxSessions`` is 1, and another check holds it."""
    monkeypatch.setattr(port_probe, "_OPENED_AT", 3.0)
    monkeypatch.setattr(port_probe, "_OPEN_SECONDS", 1.0)
    let_go, closed = threading.Event(), threading.Event()

    class Told(socket.socket):
        def close(self) -> None:
            super().close()
            closed.set()

    class Full(LocalTransport):
        def stream(self, argv: Any, **options: Any) -> socket.socket:
            let_go.wait(60)
            return Told(fileno=super().stream(argv, **options).detach())

    found = told(but_n1(lambda: Full("n1", become="none")), PortMatrixCheck())
    assert ways_between_the_others(found) == OTHERS
    (untried,) = [one for one in found if one.level != "ok"]
    assert untried.id == "network.untried/n1"
    assert "opens no session in time" in untried.seen
    assert "MaxSessions" in untried.hint
    assert not closed.is_set()
    let_go.set()
    assert closed.wait(20)


def test_firewalls_are_asked_at_once_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, asked = threading.Event(), set[str]()
    hears = NodeFirewall(read=True, active="ufw")

    def ask(reach: object, node: str, others: object) -> NodeFirewall:
        asked.add(node)
        if node != "n2":
            let_go.wait(60)
        return hears

    monkeypatch.setattr(firewall, "read_firewall", ask)
    at = four(lambda name: LocalTransport(name))
    assert at.topology
    found = port_probe.required_connections(at.topology)
    began = time.monotonic()
    walls = port_probe._firewalls(at, at.topology, found, NAMES, began + 0.5)
    assert time.monotonic() - began < 3
    let_go.set()
    assert asked == set(NAMES)
    assert walls == {"n1": NodeFirewall(), "n2": hears, "n3": NodeFirewall(), "n4": NodeFirewall()}


def test_what_needs_another_node_says_which_one_is_gone() -> None:
    class First(ProbeCheck[str]):
        """Of every node by the first one."""

        name = "first"
        title = "First"

        def probe(self, site: CheckContext, spot: CheckedNode) -> str:
            site.transport("n1")
            return ""

        def judge(self, site: CheckContext, spot: CheckedNode, facts: str) -> Iterator[Finding]:
            yield self.finding(spot, "ok", "well")

    def gone() -> Transport:
        raise ConnectError("port 22 of it is closed", "Is sshd running?", node="n1")

    found = {one.id: one for one in told(but_n1(gone), Hello(), First())}
    assert {name: one.level for name, one in found.items() if one.level != "ok"} == {
        "look/n1": "failure",
        **{f"first/{name}": "warning" for name in NAMES[1:]},
    }
    assert found["first/n2"].seen == "not checked: it needs n1, which cannot be reached"
    assert "n1" in found["first/n2"].hint


# ---- the connections that a check opens by itself


def test_the_whole_way_to_a_node_has_a_limit_for_everybody() -> None:
    let_go = threading.Event()

    def open_node(name: str) -> Transport:
        let_go.wait(60)
        return LocalTransport(name)

    lines = ConnectionPool(open_node, patience=0.5)
    for _ in range(2):
        with pytest.raises(ConnectError, match=r"not connected within 0\.5 s") as caught:
            lines("n1")
        assert caught.value.node == "n1"
    let_go.set()
    lines.close()


def test_a_check_connects_in_short_steps(
    silent: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "a-secret-of-the-test")
    (tmp_path / "license.key").write_text("licence\n")
    path = tmp_path / "answers.yml"
    path.write_text(
        f"""version: 1
scenario: medium
public_url: http://oz.example.com
air_gapped: true
license: {{bio: license.key}}
components: {{bio_updater: false}}
nodes:
  - {{name: n1, host: 127.0.0.1, address: 10.0.0.1, user: x, port: {silent}, roles: [api]}}
  - {{name: n2, host: 127.0.0.2, address: 10.0.0.2, roles: [api, bio]}}
database: {{host: db.example.com, password: {{env: X}}, sslmode: require}}
storage: {{type: path, path: /mnt/oz}}
"""
    )

    def open_node(node: Node, secrets: Secrets, *, step: float) -> Transport:
        from oz_installer.installation.nodes.connect import transport_opener

        if node.name == "n1":
            opened: Transport = transport_opener()(node, secrets, base=tmp_path, known_hosts=None, step=step)
            return opened
        return LocalTransport(node.name, become="none")

    found: list[Finding] = []
    began = time.monotonic()
    run_preflight(
        read(path), path, open_node, found.append, threading.Event(), only=("clock", "network"), step=1.0
    )
    assert time.monotonic() - began < 8
    of_n1 = [one for one in found if one.node == "n1"]
    assert [one.id for one in of_n1] == ["look/n1"]
    assert "did not finish the SSH handshake in 1 s" in of_n1[0].seen
    assert not any(one.id.startswith("look") for one in found if one.node == "n2")
