"""A port that an outgoing connection of the node has: waited for, and told apart from one that is taken."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from oz_installer.deploy import lent_ports
from oz_installer.deploy.events import Event, Message
from oz_installer.deploy.lent_ports import PATIENCE_SECONDS, patiently, port_in_use
from oz_installer.deploy.run import Run
from oz_installer.errors import DeployError, Interrupted
from oz_installer.remote.transport import CommandResult
from tests.unit.deploy.deploy_support import FakeTransport, bundle, make_run

SAID = "Error starting userland proxy: listen tcp4 0.0.0.0:60088: bind: address already in use"


@pytest.mark.parametrize(
    ("said", "port"),
    [
        (SAID, 60088),
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
    """A node whose port is in these states, one look after the other, and an engine that minds."""

    run: Run
    states: list[str]
    now: float = 0.0
    starts: int = 0
    looks: list[tuple[str, ...]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    succeeds_at: int = 2

    def look(self, argv: tuple[str, ...]) -> str:
        self.looks.append(argv)
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def start(self) -> None:
        self.starts += 1
        if self.starts < self.succeeds_at:
            raise DeployError(f"cannot start oz-bio-updater: {SAID}", "the first hint", node="n1")

    def told(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Message)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    transport, events = FakeTransport("n1"), list[Event]()
    run = make_run(bundle(), transports={"n1": transport}, events=events)
    made = World(run=run, states=[""], events=events)
    transport.answer = made.look

    class Pause(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            made.now += timeout or 0
            return self.is_set()

    run.cancelled = Pause()
    monkeypatch.setattr(lent_ports, "monotonic", lambda: made.now)
    return made


def test_it_is_waited_for_and_started_again(world: World) -> None:
    world.states = ["01\n", "06\n", ""]
    patiently(world.run, "n1", world.start)
    assert world.starts == 2
    assert world.now == 2
    assert world.looks[0][-1] == "EAB8"
    (told,) = world.told()
    assert told.startswith("TCP port 60088 is lent to an outgoing connection of the node; waiting")


def test_one_that_is_free_by_now_is_not_waited_for(world: World) -> None:
    patiently(world.run, "n1", world.start)
    assert (world.starts, world.now, world.told()) == (2, 0, [])


def test_one_that_somebody_listens_on_is_told_at_once(world: World) -> None:
    world.states = ["01\n0A\n"]
    with pytest.raises(DeployError, match="address already in use") as caught:
        patiently(world.run, "n1", world.start)
    assert (world.starts, world.now, world.told()) == (1, 0, [])
    assert caught.value.hint == "the first hint"


def test_a_connection_that_does_not_end_is_told_with_what_to_do(world: World) -> None:
    world.states = ["01\n"]
    with pytest.raises(DeployError, match="address already in use") as caught:
        patiently(world.run, "n1", world.start)
    assert (world.starts, world.now) == (1, PATIENCE_SECONDS)
    assert "«ss -tanp sport = :60088» there shows it" in caught.value.hint
    assert "ip_local_reserved_ports=60088" in caught.value.hint


def test_it_is_not_tried_for_ever(world: World) -> None:
    world.succeeds_at = 100
    with pytest.raises(DeployError):
        patiently(world.run, "n1", world.start)
    assert world.starts == lent_ports.TRIES


def test_a_stop_ends_the_waiting(world: World) -> None:
    world.states = ["01\n"]
    world.run.stop.set()
    with pytest.raises(Interrupted):
        patiently(world.run, "n1", world.start)
    assert world.starts == 1


def test_another_failure_is_raised_as_it_is(world: World) -> None:
    def fail() -> None:
        raise DeployError("cannot start oz-redis: no such image", node="n1")

    with pytest.raises(DeployError, match="no such image"):
        patiently(world.run, "n1", fail)
    assert world.looks == []


@pytest.fixture
def lent() -> Iterator[tuple[socket.socket, int]]:
    """A port of this machine that a connection has, and the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.bind(("127.0.0.1", 0))
        client.connect(server.getsockname())
        yield client, client.getsockname()[1]


def test_the_kernel_is_asked(lent: tuple[socket.socket, int]) -> None:
    """A connection is told apart from who listens, as this machine's kernel says it."""
    client, port = lent
    run = make_run(bundle(), transports={"n1": FakeTransport("n1", here)})
    assert lent_ports._states(run, "n1", port) == ["01"]
    assert lent_ports._states(run, "n1", client.getpeername()[1]) == ["0A", "01"]


def here(argv: tuple[str, ...]) -> CommandResult:
    """Run it on this machine."""
    done = subprocess.run(argv, capture_output=True, check=False, env=dict(os.environ))
    return CommandResult(argv=argv, status=done.returncode, stdout=done.stdout, stderr=done.stderr)
