"""Stopping while nodes are connected to or looked at: heeded at once, and nothing is left behind."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.answers.file import read
from oz_installer.answers.model import Node
from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.checks.context import Finding
from oz_installer.errors import ConnectError, Interrupted
from oz_installer.installation.nodes.connect import transport_opener
from oz_installer.installation.plan_diffs import with_diffs
from oz_installer.installation.prepare import Prepared, prepare
from oz_installer.installation.summary import summarise
from oz_installer.installation.wizard.core import InstallerCore
from oz_installer.remote.ssh.transport import SshTarget, SshTransport, connect
from tests.unit.deploy.compose.deploy_support import FakeTransport, short
from tests.unit.deploy.compose.test_deploy_facts import DETAILS, output
from tests.unit.installation.test_lost_secrets import record

ANSWERS = """\
version: 1
scenario: poc
public_url: http://oz.example.com
nodes:
  - {name: n1, host: 127.0.0.1, port: %d, user: nobody}
updater: {token: {env: OZ_TEST_TOKEN}}
"""
SOON = 2.0
PATIENCE = 20.0
NAMES = ("connect-", "look-", "diff-", "check-")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Answers of one node whose files are all there."""
    monkeypatch.setenv("OZ_TEST_TOKEN", "canary-T0ken")
    (tmp_path / "license.key").write_text("licence\n", encoding="utf-8")
    return written(tmp_path, 22)


def written(folder: Path, port: int) -> Path:
    """The answers, with the node's SSH at that port."""
    path = folder / "answers.yml"
    path.write_text(ANSWERS % port, encoding="utf-8")
    return path


class Silent:
    """A server that takes a connection and never says anything; ``taken`` is what to do when it has one."""

    def __init__(self, taken: Callable[[], object]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.left = threading.Event()
        self._taken = taken
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(0.05)
            self._taken()
            while not self._over.is_set() and not self.left.is_set():
                with suppress(TimeoutError):
                    if not connection.recv(1024):
                        self.left.set()

    def __enter__(self) -> Silent:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._over.set()
        self._thread.join(PATIENCE)


class Clock:
    """A stop that knows when it was set."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.at = 0.0

    def set(self) -> None:
        """Stop."""
        self.at = time.monotonic()
        self.stop.set()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """What is done here ends as stopped, soon after the stop."""
        with pytest.raises(Interrupted, match="stopped at your request"):
            yield
        self.check()

    def check(self) -> None:
        """It is over, soon after the stop."""
        assert self.stop.is_set()
        assert time.monotonic() - self.at < SOON


def until(wanted: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < end, threading.enumerate()
        time.sleep(0.01)


OTHERS: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def _others() -> None:
    """What other tests of this process have left behind is not of these."""
    OTHERS.clear()
    OTHERS.update(threading.enumerate())


def at_work() -> list[str]:
    """Threads of this test that have to do with nodes."""
    every = [one for one in threading.enumerate() if one not in OTHERS]
    return [one.name for one in every if one.name.startswith(NAMES) or "ransport" in type(one).__name__]


def impatient(node: Node, _secrets: Secrets) -> SshTransport:
    """As the command line connects, but that it gives up earlier."""
    target = SshTarget(name=node.name, host=node.host, port=node.port, user=node.user)
    return connect(target, timeout=3.0)


def test_a_stop_while_connecting_to_a_server_that_never_answers(path: Path) -> None:
    clock = Clock()
    with Silent(clock.set) as server:
        path = written(path.parent, server.port)
        with clock.heeded():
            prepare(read(path), path, impatient, stop=clock.stop)
        assert server.left.wait(PATIENCE), "the socket is closed, although the server says nothing"
        until(lambda: not at_work())


def test_the_core_of_the_wizard_hands_its_stop_on(path: Path) -> None:
    clock = Clock()
    with Silent(clock.set) as server:
        path = written(path.parent, server.port)
        with clock.heeded():
            InstallerCore(transport_opener).prepare(path, clock.stop)


def test_a_stop_of_the_checks_while_they_connect(path: Path) -> None:
    clock, found = Clock(), list[Finding]()
    with Silent(clock.set) as server:
        path = written(path.parent, server.port)
        InstallerCore(transport_opener).check(path, found.append, clock.stop)
        clock.check()
        faults = [one for one in found if one.node and one.level != "ok"]  # a bundled database needs no node
        assert not faults, "what the node did not say is not told as its fault"


# ---- a node that lets us in, and is silent then


class Stuck(FakeTransport):
    """Answers as it is told, until the command that it hangs at; closing it ends that."""

    def __init__(self, hangs_at: str, clock: Clock, look: str) -> None:
        super().__init__("n1", answer=self._said)
        self._hangs_at, self._clock, self._look = hangs_at, clock, look
        self._gone = threading.Event()

    def _said(self, argv: tuple[str, ...]) -> str | None:
        if short(argv) == self._hangs_at:
            self._clock.set()
            assert self._gone.wait(PATIENCE)
            raise ConnectError("the connection is gone", node=self.name)
        return self._look if short(argv) == "node.sh facts" else None

    def hang_at(self, command: str) -> None:
        """From now on."""
        self._hangs_at = command

    def close(self) -> None:
        """Whoever waits need not any more."""
        super().close()
        self._gone.set()


def bare() -> str:
    """A node where nothing is installed."""
    return output(**{**DETAILS, "record": ""})


def test_a_stop_while_a_node_is_looked_at(path: Path) -> None:
    clock = Clock()
    node = Stuck("node.sh facts", clock, bare())
    with clock.heeded():
        prepare(read(path), path, lambda *_: node, stop=clock.stop)
    until(lambda: not at_work())
    assert node.closed


def test_a_node_that_lets_us_in_after_the_stop_is_left_at_once(path: Path) -> None:
    clock, late, node = Clock(), threading.Event(), FakeTransport("n1", answer=lambda _: bare())

    def open_late(*_: object) -> FakeTransport:
        clock.set()
        assert late.wait(PATIENCE)
        return node

    with clock.heeded():
        prepare(read(path), path, open_late, stop=clock.stop)
    late.set()
    until(lambda: not at_work())
    assert node.closed
    assert node.sent == []


@pytest.mark.parametrize("what", ["with_diffs", "summarise"])
def test_a_stop_while_differences_or_states_are_fetched(path: Path, what: str) -> None:
    clock = Clock()
    before = replace(record(("oz-api",)), files={"compose.yaml": "other"})
    there = output(**{**DETAILS, "record": before.dumps()})
    node = Stuck("nothing", clock, there)
    prepared = prepare(read(path), path, lambda *_: node, new_secrets=True)
    calls: Mapping[str, Callable[[Prepared, threading.Event], object]] = {
        "with_diffs": with_diffs,
        "summarise": summarise,
    }
    node.hang_at("node.sh facts" if what == "summarise" else "sh")
    if what == "with_diffs":
        assert any(one.files for one in prepared.plan.targets)
    with clock.heeded():
        calls[what](prepared, clock.stop)
    prepared.close()
    until(lambda: not at_work())
