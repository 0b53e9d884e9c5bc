"""The port matrix: judged from tables, and its program run for real here; it never outlives its starter."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.checks.context import CheckContext, Finding
from oz_installer.checks.engine.ports import PortsCheck
from oz_installer.checks.network import listener
from oz_installer.checks.network.firewall import NodeFirewall
from oz_installer.checks.network.listener import Listener
from oz_installer.checks.network.port_matrix import PortMatrixCheck
from oz_installer.checks.network.port_probe import NetworkFacts, ProbedConnection, required_connections
from oz_installer.errors import ConnectError
from oz_installer.remote.transport import Transport
from oz_installer.topology.model import Edge
from oz_installer.topology.planner import plan_topology
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, BIO, levels, printed_by, site

BLOCKED = "network.8501/n1:n2"
PASSIVE = "network.60000/n2:n1"


def planned(spots: tuple[str, ...] = ("n1", "n2")) -> CheckContext:
    """The site with its topology, of which only some nodes are looked at."""
    at = site(spots=[spot for spot in (API, BIO) if spot.name in spots])
    return replace(at, topology=plan_topology(at.answers))


def facts(at: CheckContext, state: str = "ready", end: str = "open") -> NetworkFacts:
    """Every port in one state, every connection with one end."""
    assert at.topology
    found = required_connections(at.topology)
    reached = {spot.name for spot in at.nodes}
    ports = {(way.target, port): state for way in found if way.target in reached for port in way.ports}
    ends = {
        (way.source, way.target, port): end for way in found if way.source in reached for port in way.ports
    }
    walls = {way.target: NodeFirewall(read=True, forward_chains=()) for way in found}
    return NetworkFacts(ports=ports, outcomes=ends, firewalls=walls)


def judged(at: CheckContext, told: NetworkFacts) -> dict[str, Finding]:
    found = list(PortMatrixCheck().judge(at, told))
    for one in found:
        assert one.check == "network"
        assert one.hint or one.level == "ok"
    assert len({one.id for one in found}) == len(found)
    return {one.id: one for one in found}


def changed(told: NetworkFacts, *ends: tuple[str, str, int, str]) -> NetworkFacts:
    return replace(
        told,
        outcomes={**told.outcomes, **{(source, target, port): end for source, target, port, end in ends}},
    )


def test_ways_are_the_edges_between_nodes() -> None:
    topology = planned().topology
    assert topology
    found = required_connections(topology)
    assert [way.name for way in found] == [
        "n2 → n1 tcp/6379",
        "n2 → n1 tcp/8521",
        "n2 → n1 tcp/60000-60100",
        "n1 → n2 tcp/8501",
        "n2 → n1 tcp/8880",
    ]
    passive = next(way for way in found if way.last)
    assert passive.ports == (60000, 60050, 60100)
    assert (
        required_connections(replace(topology, edges=(Edge(source="n1", target="n1", port=1, purpose="x"),)))
        == ()
    )
    twice = tuple(Edge(source="n1", target="n2", port=1, purpose=word) for word in ("a", "b", "a"))
    (one,) = required_connections(replace(topology, edges=twice))
    assert one == ProbedConnection(source="n1", target="n2", port=1, last=None, purpose="a and b")


def test_all_is_open() -> None:
    for state in ("ready", "taken", "held", "none"):
        found = judged(planned(), facts(planned(), state))
        assert levels(found) == {}
        assert {name: one.seen for name, one in found.items()} == {
            "network/n1": "1 connection to 1 other node",
            "network/n2": "4 connections to 1 other node",
        }


@pytest.mark.parametrize(
    ("state", "end", "level", "words"),
    [
        ("ready", "late", "failure", "n1 → n2 tcp/8501, for BIO: no answer within 3 s"),
        ("taken", "late", "failure", "no answer within 3 s"),
        ("none", "late", "failure", "no answer within 3 s"),
        ("ready", "refused", "failure", "refused, although a program listens"),
        ("taken", "refused", "", ""),
        ("held", "refused", "", ""),
        ("", "refused", "", ""),
        ("none", "refused", "warning", "no python3 to listen with"),
        ("denied Permission denied", "refused", "warning", "may not listen on the port: Permission denied"),
        ("ready", "none", "warning", "neither python3 nor bash"),
        ("ready", "other No route to host", "failure", "n1 → n2 tcp/8501, for BIO: No route to host"),
    ],
)
def test_one_connection_fails(state: str, end: str, level: str, words: str) -> None:
    at = planned()
    told = changed(facts(at), ("n1", "n2", 8501, end))
    told = replace(told, ports={**told.ports, ("n2", 8501): state})
    found = judged(at, told)
    name = "network.untried/n2" if level == "warning" else BLOCKED
    assert levels(found) == ({name: level} if level else {})
    assert "network/n1" not in found
    assert found["network/n2"].level == "ok"
    if level:
        assert words in found[name].seen
        assert "n2" in found[name].hint or level == "warning"


def test_a_refused_port_of_an_engine_is_blocked_only_where_its_own_node_is_let_in() -> None:
    at = planned()
    told = changed(facts(at, "taken"), ("n1", "n2", 8501, "refused"))
    for own, expected in (("open", {BLOCKED: "failure"}), ("refused", {}), ("late", {})):
        assert levels(judged(at, changed(told, ("n2", "n2", 8501, own)))) == expected


def test_what_to_open_is_said() -> None:
    at = planned()
    dropped = judged(at, changed(facts(at), ("n1", "n2", 8501, "late")))[BLOCKED]
    assert dropped.node == "n1"
    assert all(
        word in dropped.hint for word in ("On n2", "ufw allow 8501/tcp", "--add-port=8501/tcp", "nftables")
    )
    rejected = judged(at, changed(facts(at), ("n1", "n2", 8501, "refused")))[BLOCKED]
    assert "The firewall of n2 rejects the connection" in rejected.hint
    lost = judged(at, changed(facts(at), ("n1", "n2", 8501, "other Name or service not known")))[BLOCKED]
    assert "getent hosts 10.0.0.2" in lost.hint


def test_of_a_range_the_ports_are_named_that_fail() -> None:
    at = planned()
    found = judged(at, changed(facts(at), ("n2", "n1", 60050, "late"), ("n2", "n1", 60100, "refused")))
    assert levels(found) == {PASSIVE: "failure"}
    seen = found[PASSIVE].seen
    assert seen == (
        "n2 → n1 tcp/60000-60100, for model updates (passive): 60050, 60100: no answer within 3 s"
    )
    assert "ufw allow 60000:60100/tcp" in found[PASSIVE].hint
    assert "--add-port=60000-60100/tcp" in found[PASSIVE].hint
    assert found["network/n2"].seen == "3 connections to 1 other node"


def test_a_node_that_is_left_out() -> None:
    at = planned(("n1",))
    assert levels(judged(at, facts(at))) == {}
    found = judged(at, facts(at, end="refused"))
    assert levels(found) == {}
    assert "--limit leaves it out" in found["network.untried/n2"].seen
    assert levels(judged(at, facts(at, end="late"))) == {BLOCKED: "failure"}


def test_a_node_that_cannot_be_asked_is_told_once_and_one_that_is_lost_not_at_all() -> None:
    at = planned()
    told = NetworkFacts(no_answer={"n2": "sh: timeout: not found"})
    found = judged(at, told)
    assert levels(found) == {"network.untried/n2": "warning"}
    assert found["network.untried/n2"].seen == (
        "connections to and from n2 were not tried: the listener on the node failed: sh: timeout: not found"
    )
    assert judged(at, NetworkFacts()) == {}
    assert list(PortMatrixCheck().judge(site(), NetworkFacts())) == []
    assert PortMatrixCheck().probe(site()) == NetworkFacts()


# ---- the program, here


def free(count: int = 1) -> list[int]:
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


def listens(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(2)
        return sock.connect_ex(("127.0.0.1", port)) == 0


def soon(holds: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def in_(seconds: float) -> float:
    return time.monotonic() + seconds


@contextmanager
def open_listener(*ports: int) -> Iterator[Listener]:
    listener = Listener(LocalTransport(become="none"), ports, timeout=5)
    try:
        assert listener.ready(in_(10)), listener.last_message
        yield listener
    finally:
        listener.close(in_(10))


@pytest.fixture
def without_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a shell and little else; a tool is taken away by removing its link."""
    for name in ("sh", "bash", "timeout", "tr", "cat"):
        found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True)
        (tmp_path / name).symlink_to(found.stdout.strip())
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def ends_of_all_kinds(listener: Listener, ready: int) -> dict[int, str]:
    """Open, refused, unknown, and one whose queue of connections is full."""
    (closed,) = free()
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())
        second.setblocking(False)
        second.connect_ex(full.getsockname())
        places = [("127.0.0.1", port) for port in (ready, closed, full.getsockname()[1])]
        listener.connect([*places, ("nowhere.invalid", 1)])
        return listener.outcomes(in_(15))


def test_ports_are_held_tried_and_given_back() -> None:
    ready, taken, held = free(3)
    with socket.create_server(("0.0.0.0", taken)), socket.create_server(("127.0.0.1", held)):
        with open_listener(ready, taken, held) as listener:
            assert listener.ports == {ready: "ready", taken: "taken", held: "held"}
            assert listens(ready)
            ends = ends_of_all_kinds(listener, ready)
            unknown = ends.pop(3)
            assert ends == {0: "open", 1: "refused", 2: "late"}
            assert unknown == "late" or unknown.startswith("other "), unknown
        assert not listens(ready)


def test_without_python_it_connects_but_does_not_listen(without_python: Path) -> None:
    (port,) = free()
    with socket.create_server(("127.0.0.1", port)), open_listener(port) as listener:
        assert listener.ports == {port: "none"}
        ends = ends_of_all_kinds(listener, port)
        unknown = ends.pop(3)
        assert ends == {0: "open", 1: "refused", 2: "late"}
        assert unknown == "late" or unknown.startswith("other "), unknown
    (without_python / "bash").unlink()
    with open_listener(port) as listener:
        listener.connect([("127.0.0.1", port)])
        assert listener.outcomes(in_(10)) == {0: "none"}
    (without_python / "timeout").unlink()
    with pytest.raises(ConnectError):
        Listener(LocalTransport(become="none"), (port,), timeout=5)


def test_a_port_below_1024_is_denied_to_others_than_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    command = ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    done = subprocess.run(
        [*command, sys.executable, "-IS", "-c", listener._PROGRAM, "81"],
        input="go\n",
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip()
    assert f"listen 81 {'denied Permission denied' if int(start) > 81 else 'ready'}" in done.stdout, done


def test_the_check_of_ports_does_not_see_it() -> None:
    ours, theirs = free(2)
    with open_listener(ours), socket.create_server(("127.0.0.1", theirs)):
        told = PortsCheck().parse(printed_by(PortsCheck(), site()))
    assert theirs in told.listening
    assert ours not in told.listening


def test_it_ends_with_a_killed_workstation() -> None:
    (port,) = free()
    code = (
        "import sys, time\n"
        "from oz_installer.checks.network.listener import Listener\n"
        "from tests.local_transport import LocalTransport\n"
        f"one = Listener(LocalTransport(become='none'), ({port},), timeout=5)\n"
        "print(one.ready(time.monotonic() + 10), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "True\n"
        assert listens(port)
        process.send_signal(signal.SIGKILL)
    assert soon(lambda: not listens(port))


def test_it_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "LIFE_SECONDS", 2)
    (port,) = free()
    running = Listener(LocalTransport(become="none"), (port,), timeout=5)
    assert running.ready(in_(10))
    assert listens(port)
    assert soon(lambda: not listens(port))
    running.close(in_(1))


def here(reach: Callable[[str], Transport], ports: list[int]) -> CheckContext:
    """Both nodes are this machine, n1 reaches n2 at these ports."""
    one = planned()
    assert one.topology
    nodes = tuple(replace(node, address="127.0.0.1") for node in one.topology.nodes)
    edges = tuple(Edge(source="n1", target="n2", port=port, purpose="x") for port in ports)
    return replace(one, transport=reach, topology=replace(one.topology, nodes=nodes, edges=edges))


def test_the_whole_of_it_here() -> None:
    ports = free(3)
    one = here(lambda name: LocalTransport(name, become="none"), ports)
    told = PortMatrixCheck().probe(one)
    assert set(told.firewalls) == {"n2"}
    assert replace(told, firewalls={}) == NetworkFacts(
        ports={("n2", port): "ready" for port in ports},
        outcomes={("n1", "n2", port): "open" for port in ports},
    )
    told = replace(told, firewalls={"n2": NodeFirewall(forward_chains=())})
    assert judged(one, told)["network/n1"].seen == "3 connections to 1 other node"
    assert not any(listens(port) for port in ports)


def test_a_node_that_cannot_be_reached_is_told_as_every_check_tells_it() -> None:
    gone = ConnectError("gone", "Look at the network.", node="n2")

    def reach(name: str) -> Transport:
        if name == "n2":
            raise gone
        return LocalTransport(name, become="none")

    one = here(reach, free())
    told = PortMatrixCheck().probe(one)
    assert told == NetworkFacts(unreached={"n2": gone})
    (told_once,) = PortMatrixCheck().judge(one, told)
    assert (told_once.id, told_once.level) == ("look/n2", "failure")


def test_a_node_that_is_lost_meanwhile_is_left_to_other_checks() -> None:
    class Lost(LocalTransport):
        def stream(self, *args: object, **options: object) -> socket.socket:
            raise ConnectError("connection lost", node=self.name)

    one = here(lambda name: LocalTransport(name, become="none") if name == "n1" else Lost(name), free())
    assert PortMatrixCheck().probe(one) == NetworkFacts()
