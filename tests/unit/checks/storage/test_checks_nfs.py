"""The NULL call to an NFS server, and what mount options ask of it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from oz_installer.checks.storage import nfs
from oz_installer.checks.storage.nfs import NfsAnswer
from oz_installer.checks.storage.storage import StorageCheck
from oz_installer.checks.viewpoint import NodeViewpoint
from tests.unit.checks.checks_support import BIO, Elsewhere, site
from tests.unit.checks.database.test_checks_postgres import server
from tests.unit.checks.storage.test_checks_storage import NFS


def reply(*words: int, identity: int | None = None) -> Callable[[socket.socket, bytes], None]:
    """A server that answers a call with these words after its id."""

    def answer(peer: socket.socket, heard: bytes) -> None:
        (asked,) = struct.unpack("!I", heard[4:8])
        body = struct.pack(f"!{len(words) + 1}I", asked if identity is None else identity, *words)
        peer.sendall(struct.pack("!I", 0x8000_0000 | len(body)) + body)

    return answer


def web(peer: socket.socket, heard: bytes) -> None:
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def hangs_up(peer: socket.socket, heard: bytes) -> None:
    return


def silent(peer: socket.socket, heard: bytes) -> None:
    peer.recv(1)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(1, 0, 0, 0, 0), NfsAnswer(outcome="ok")),
        (reply(1, 0, 1, 8, 7, 7, 0), NfsAnswer(outcome="ok")),  # with a verifier
        (reply(1, 1, 1, 5), NfsAnswer(outcome="ok")),  # wants Kerberos
        (reply(1, 0, 0, 0, 2, 3, 3), NfsAnswer(outcome="version", versions=(3, 3))),
        (reply(1, 0, 0, 0, 1), NfsAnswer(outcome="stranger", message="RPC, but not NFS (accept_stat 1)")),
        (reply(1, 0, 0, 0, 0, identity=1), NfsAnswer(outcome="stranger", message="its answer is not RPC")),
    ],
)
def test_what_a_server_answers(answer: Any, expected: NfsAnswer) -> None:
    with server(answer) as port:
        assert nfs.nfs_null_call(NodeViewpoint(Elsewhere(port=port)), "nfs", 2049, 4) == expected


@pytest.mark.parametrize("answer", [web, hangs_up, silent])
def test_what_is_no_nfs_server(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nfs, "TCP_SECONDS", 0.5)
    with server(answer) as port:
        assert nfs.nfs_null_call(NodeViewpoint(Elsewhere(port=port)), "nfs", 2049, 4).outcome == "stranger"


def test_a_closed_port_and_forbidden_tunnels() -> None:
    with server(hangs_up) as port:
        assert nfs.nfs_null_call(NodeViewpoint(Elsewhere()), "127.0.0.1", port, 4).outcome == "unknown"
    assert nfs.nfs_null_call(NodeViewpoint(Elsewhere(port=port)), "nfs", 2049, 4).outcome == "unreachable"
    assert nfs.nfs_null_call(NodeViewpoint(Elsewhere()), "127.0.0.1", port, 4).outcome == "unreachable"


def test_nothing_is_mounted_from_what_is_no_nfs_server() -> None:
    with server(web) as port:
        at = site(lambda name: Elsewhere(name, port=port), storage=NFS)
        facts = StorageCheck().probe(at, BIO)
    assert facts.server is not None
    assert facts.server.outcome == "stranger"


@pytest.mark.parametrize(
    ("options", "version", "port"),
    [
        ("vers=4.1,hard", 4, 2049),
        ("nfsvers=3,port=2050", 3, 2050),
        ("hard,v3", 3, 2049),
        ("hard", 4, 2049),
        ("port=99999", 4, 2049),
        ("retrans=3,vers=4.2", 4, 2049),
    ],
)
def test_what_mount_options_ask_for(options: str, version: int, port: int) -> None:
    assert (nfs.version_of(options), nfs.port_of(options)) == (version, port)
