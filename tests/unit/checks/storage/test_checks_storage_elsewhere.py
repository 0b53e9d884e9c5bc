"""The first api node holds a file for another one: how long it is waited for, and what is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from oz_installer.checks.storage import peer
from oz_installer.checks.storage.peer import hold_on_peer
from oz_installer.checks.storage.probe import MediaLocation, StorageFacts, read_back
from oz_installer.checks.storage.scripts import PREFIX
from oz_installer.checks.storage.storage import StorageCheck, media_location
from oz_installer.errors import ConnectError
from oz_installer.remote.transport import ForwardingForbidden, Transport
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, BIO, site
from tests.unit.checks.storage.test_checks_storage_away import here, sharing
from tests.unit.checks.test_checks_scripts import program, shared, tools

__all__ = ("shared", "tools")  # fixtures

NFS = MediaLocation(device=":/srv/oz", options="addr=nfs.example.com")


class Busy(LocalTransport):
    """A node that begins a command, and gets nowhere with it."""

    def __init__(self, name: str = "n1") -> None:
        super().__init__(name, become="none")
        self.begun = threading.Event()
        self._ends: list[socket.socket] = []

    def stream(self, argv: Sequence[str], **options: Any) -> socket.socket:
        ours, theirs = socket.socketpair()
        self._ends.append(theirs)
        self.begun.set()
        return ours

    def close(self) -> None:
        for one in self._ends:
            one.close()


@pytest.fixture
def busy() -> Iterator[Busy]:
    one = Busy()
    yield one
    one.close()


def away(transport: Transport, place: MediaLocation) -> str:
    with hold_on_peer(lambda: transport, place, "x", "word", began=time.monotonic()) as other:
        return other().unavailable


def test_a_node_that_is_busy_is_waited_for_once_the_other_one_has_tried_its_own(
    tools: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds its file only when the other one is ready to look, and asks for it."""
    asked, facts_of_first = tools / "asked", peer._PeerFile.facts
    waits = f"n=0; while [ ! -e {asked} ] && [ $n -lt 400 ]; do sleep 0.05; n=$((n + 1)); done"
    program(tools, "flock", f'#!/bin/sh\n{waits}\nexec /usr/bin/flock "$@"\n')
    program(tools, "timeout", '#!/bin/sh\nshift\nexec "$@"\n')

    def facts(holder: peer._PeerFile) -> StorageFacts:
        asked.touch()
        return facts_of_first(holder)

    monkeypatch.setattr(peer._PeerFile, "facts", facts)
    seen = StorageCheck().probe(sharing(shared, here), BIO)
    assert (seen.unavailable, seen.shared, seen.lock_seen) == ("", True, True)
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "words"), [(NFS, "mount it"), (MediaLocation(folder="/mnt/oz"), "write there")]
)
def test_what_takes_too_long_is_told_as_that(
    busy: Busy, monkeypatch: pytest.MonkeyPatch, place: MediaLocation, words: str
) -> None:
    monkeypatch.setattr(peer, "HELD_AT", 0.6)
    began = time.monotonic()
    why = away(busy, place)
    assert 0.6 <= time.monotonic() - began < 4
    assert why.startswith("took longer than 0.")
    assert why.endswith(f" s to {words}")
    facts = {"n1": StorageFacts(), "n2": StorageFacts(unavailable=why)}
    (one,) = StorageCheck().across(site(), facts)
    assert one.level == "warning"
    assert one.seen == f"not checked: n1 {why}"
    assert "Check the load of n1" in one.hint


def test_a_session_that_does_not_open_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "HELD_AT", 0.3)
    let_go = threading.Event()

    class Full(Busy):
        def stream(self, argv: Sequence[str], **options: Any) -> socket.socket:
            let_go.wait(60)
            raise ConnectError("gone", node=self.name)

    why = away(Full(), NFS)
    let_go.set()
    assert why.startswith("opened no session within 0.")


def test_no_session_is_taken_before_the_first_node_has_its_own(shared: Path) -> None:
    """With MaxSessions 1 we and the network check, which goes by their order, would wait for each other."""
    order: list[str] = []
    second = threading.Event()

    class Noted(LocalTransport):
        def stream(self, argv: Sequence[str], **options: Any) -> socket.socket:
            if self.name == API.name:
                assert not second.wait(0.3)
            else:
                second.set()
            order.append(self.name)
            return super().stream(argv, **options)

    at = sharing(shared, lambda name: Noted(name, become="none"))
    assert StorageCheck().probe(at, BIO).shared is True
    assert order == ["n1", "n2"]


def test_a_first_node_that_cannot_write_holds_nothing_to_look_for(shared: Path) -> None:
    place = media_location(sharing(shared, here))
    facts = read_back(here("n2"), place, f"{PREFIX}a", "word", lambda: StorageFacts(folder="missing"))
    assert (facts.folder, facts.held, facts.shared) == ("ok", False, None)
    assert StorageCheck().probe(sharing(shared / "nowhere", here), BIO).folder == "missing"


class Lost(LocalTransport):
    """A node that is lost while it waits for the other one."""

    def __init__(self) -> None:
        super().__init__("n2", become="none")
        self.line: socket.socket | None = None

    def stream(self, argv: Sequence[str], **options: Any) -> socket.socket:
        self.line = super().stream(argv, **options)
        return self.line

    def lose(self) -> StorageFacts:
        assert self.line
        self.line.shutdown(socket.SHUT_RDWR)
        return StorageFacts()


def test_a_node_that_is_lost_meanwhile_is_not_said_to_share_nothing(shared: Path) -> None:
    node = Lost()
    with pytest.raises(ConnectError) as caught:
        read_back(node, media_location(sharing(shared, here)), f"{PREFIX}a", "word", node.lose)
    assert caught.value.node == "n2"


def refused(*_: Any, **__: Any) -> socket.socket:
    raise ConnectionRefusedError("refused")


def forbidden(*_: Any, **__: Any) -> socket.socket:
    raise ForwardingForbidden("n1")


@pytest.mark.parametrize("tunnel", [refused, forbidden])
def test_a_node_that_its_server_does_not_answer_mounts_nothing(
    busy: Busy, monkeypatch: pytest.MonkeyPatch, tunnel: Callable[..., socket.socket]
) -> None:
    """It would hang."""
    monkeypatch.setattr(busy, "tunnel", tunnel)
    at = site(storage="{type: nfs, server: 127.0.0.1, export: /srv/oz, options: 'vers=4.1,port=1'}")
    assert away(busy, media_location(at)) == "gets no answer from the NFS server"
    assert not busy.begun.is_set()
