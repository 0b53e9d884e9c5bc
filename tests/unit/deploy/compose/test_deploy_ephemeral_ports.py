"""A port that a connection of the node itself uses: waited for, and told apart from one that is taken."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from oz_installer.deploy.compose import ephemeral_ports
from oz_installer.deploy.compose.ephemeral_ports import (
    PATIENCE_SECONDS,
    POLL_SECONDS,
    port_in_use,
    start_when_port_free,
)
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event, Message, NodeProgress
from oz_installer.errors import DeployError, Interrupted
from oz_installer.remote.transport import CommandResult
from tests.unit.deploy.compose.deploy_support import Clock, FakeTransport, Pause, bundle, failed, make_run

SAID = "Error starting userland proxy: listen tcp4 0.0.0.0:{}: bind: address already in use"
FREE, CONNECTED, WAITING, LISTENING = "all\n", "01\nall\n", "06\nall\n", "01\n0A\nall\n"
UNKNOWN = failed(1, "sudo: a password is required")


@pytest.mark.parametrize(
    ("said", "port"),
    [
        (SAID.format(60088), 60088),
        ("failed to bind host port for 0.0.0.0:80:172.17.0.2:8080/tcp: address already in use", 80),
        ("failed to bind host port for [::]:80:[fd00::2]:8080/tcp: address already in use", 80),
        ("failed to bind host port 0.0.0.0:60001/tcp: address already in use", 60001),
        ("cannot listen on the TCP port: listen tcp4 :8521: bind: address already in use", 8521),
        ("Bind for 0.0.0.0:80 failed: port is already allocated", None),  # a container has it
        ("listen tcp4 0.0.0.0:80: bind: permission denied", None),
    ],
)
def test_the_port_that_an_engine_names(said: str, port: int | None) -> None:
    assert port_in_use(f"cannot start oz-bio-updater: {said}") == port


@dataclass
class World:
    """A node on which a port is in these states, one look after the other (the last one stays), and an engine
    that minds ``ports`` one after the other."""

    run: NodesRun
    states: list[str | CommandResult]
    ports: list[int]
    clock: Clock = field(default_factory=Clock)
    starts: list[float] = field(default_factory=list)
    looks: list[tuple[str, ...]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def look(self, argv: tuple[str, ...]) -> str | CommandResult:
        self.looks.append(argv)
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def start(self) -> None:
        self.starts.append(self.clock.seconds)
        if self.ports:
            port = self.ports.pop(0)
            raise DeployError("cannot start", "the first hint", node="n1", details=SAID.format(port))

    def told(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Message)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    transport, events = FakeTransport("n1"), list[Event]()
    run = make_run(bundle(), transports={"n1": transport}, events=events)
    made = World(run=run, states=[FREE], ports=[60088], events=events)
    transport.answer = made.look

    run.cancelled = Pause(made.clock)
    monkeypatch.setattr(ephemeral_ports, "monotonic", lambda: made.clock.now)
    return made


def test_it_is_waited_for_and_started_again(world: World) -> None:
    world.states = [CONNECTED, CONNECTED, WAITING, FREE]
    start_when_port_free(world.run, "n1", world.start)
    assert world.starts == [0, 3 * POLL_SECONDS]
    assert world.looks[0][-1] == "EAB8"
    (told,) = world.told()
    assert told.startswith("TCP port 60088 is in use by an outgoing connection of the node; waiting")
    (progress,) = [event for event in world.events if isinstance(event, NodeProgress)]
    assert progress.text == "waiting for TCP port 60088 to become free"


def test_every_port_of_a_range_may_be_in_use(world: World) -> None:
    world.ports = [60000, 60001, 60007, 60088]
    start_when_port_free(world.run, "n1", world.start)
    assert len(world.starts) == 5
    assert len(world.told()) == 4


def test_one_that_cannot_be_seen_is_not_tried_without_a_pause_nor_for_ever(world: World) -> None:
    """A socket that is bound and not connected is in no table."""
    world.ports = [60088] * 1000
    with pytest.raises(DeployError, match="cannot start") as caught:
        start_when_port_free(world.run, "n1", world.start)
    assert len(world.starts) == PATIENCE_SECONDS / POLL_SECONDS + 1
    assert len(world.told()) == 1
    assert "Wait until the node's own connection on TCP port" in caught.value.hint


def test_one_that_somebody_listens_on_is_told_at_once(world: World) -> None:
    world.states = [LISTENING]
    with pytest.raises(DeployError, match="cannot start") as caught:
        start_when_port_free(world.run, "n1", world.start)
    assert (world.starts, world.told()) == ([0], [])
    assert caught.value.hint == "the first hint"


def test_one_that_somebody_comes_to_listen_on_is_not_waited_for(world: World) -> None:
    world.states, world.ports = [CONNECTED, CONNECTED, LISTENING], [60088, 60088]
    with pytest.raises(DeployError) as caught:
        start_when_port_free(world.run, "n1", world.start)
    assert world.starts == [0, 2 * POLL_SECONDS]
    assert caught.value.hint == "the first hint"


def test_where_nobody_can_look_it_is_told_at_once(world: World) -> None:
    world.states = [UNKNOWN]
    with pytest.raises(DeployError) as caught:
        start_when_port_free(world.run, "n1", world.start)
    assert (world.starts, caught.value.hint) == ([0], "the first hint")


def test_a_connection_that_does_not_end_is_told_with_what_to_do(world: World) -> None:
    world.states, world.ports = [CONNECTED], [60088, 60088]
    with pytest.raises(DeployError) as caught:
        start_when_port_free(world.run, "n1", world.start)
    assert world.starts == [0, PATIENCE_SECONDS]
    assert "«ss -tan sport = :60088» on the node shows it" in caught.value.hint
    assert "net.ipv4.ip_local_reserved_ports" in caught.value.hint


def test_a_stop_ends_the_waiting(world: World) -> None:
    world.states = [CONNECTED]
    world.run.stop.set()
    with pytest.raises(Interrupted):
        start_when_port_free(world.run, "n1", world.start)
    assert world.starts == [0]


def test_another_failure_is_raised_as_it_is(world: World) -> None:
    def fail() -> None:
        raise DeployError("cannot start oz-redis: no such image", node="n1")

    with pytest.raises(DeployError, match="no such image"):
        start_when_port_free(world.run, "n1", fail)
    assert world.looks == []


@pytest.fixture
def connected() -> Iterator[tuple[int, int]]:
    """Ports of this machine: one that a connection uses, and one that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.bind(("127.0.0.1", 0))
        client.connect(server.getsockname())
        yield client.getsockname()[1], client.getpeername()[1]


@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox"])
def test_the_kernel_is_asked_with_every_awk(connected: tuple[int, int], tmp_path: Path, awk: str) -> None:
    """A connection is told apart from who listens, as this machine's kernel says it."""
    program = shutil.which(awk)
    assert program, f"{awk} is missing: tests/machine.sh installs it"
    (tmp_path / "awk").symlink_to(program)
    path = f"{tmp_path}:{os.environ['PATH']}"

    def here(argv: tuple[str, ...]) -> CommandResult:
        done = subprocess.run(argv, capture_output=True, check=False, env={"PATH": path})
        return CommandResult(argv=argv, status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    run = make_run(bundle(), transports={"n1": FakeTransport("n1", here)})
    client, server = connected
    until = time.monotonic() + 20
    while "01" not in (states := ephemeral_ports._states(run, "n1", client)):
        assert time.monotonic() < until, states
    assert states[-1] == "all"
    assert ephemeral_ports._only_connections(run, "n1", client)
    assert ephemeral_ports.LISTENING in ephemeral_ports._states(run, "n1", server)
    assert not ephemeral_ports._only_connections(run, "n1", server)
