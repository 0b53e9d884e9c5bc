"""Logging in to what is no healthy PostgreSQL: each ends as itself, soon, and without the password."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from oz_installer.checks.database import postgres
from oz_installer.checks.database.connection_settings import ConnectionSettings
from oz_installer.checks.database.postgres import probe_database
from oz_installer.checks.network import tcp
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.secret import Secret
from tests.unit.checks.checks_support import CANARY, Elsewhere

Answer = Callable[[socket.socket, bytes], None]
SSL_REQUEST = struct.pack("!ii", 8, 80877103)


@contextmanager
def server(answer: Answer) -> Iterator[int]:
    """Something that listens and treats each connection in the same way; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    peer.settimeout(5)
                    try:
                        answer(peer, peer.recv(4096))
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def door(sslmode: str = "require") -> ConnectionSettings:
    return ConnectionSettings(
        host="db.example.com",
        port=5432,
        name="gateway",
        user="gateway_user",
        password=Secret(CANARY),
        sslmode=sslmode,
    )


def error_response(state: str, text: str) -> bytes:
    """As PostgreSQL says no."""
    body = b"SFATAL\0C" + state.encode() + b"\0M" + text.encode() + b"\0\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body


def no_tls(peer: socket.socket, said: bytes) -> None:
    """PostgreSQL without TLS, which lets nobody in."""
    if said == SSL_REQUEST:
        peer.sendall(b"N")
        said = peer.recv(4096)
    if said:
        peer.sendall(error_response("28P01", "password authentication failed"))


def web_server(peer: socket.socket, said: bytes) -> None:
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def silent(peer: socket.socket, said: bytes) -> None:
    peer.recv(1)


def hangs_up(peer: socket.socket, said: bytes) -> None:
    return


def busy(peer: socket.socket, said: bytes) -> None:
    """Too many connections: said before any TLS."""
    peer.sendall(error_response("53300", "sorry, too many clients already"))


@pytest.mark.parametrize(
    ("answer", "sslmode", "ended"),
    [
        (no_tls, "require", "no-tls"),
        (no_tls, "prefer", "refused"),
        (no_tls, "allow", "refused"),
        (no_tls, "disable", "refused"),
        (web_server, "require", "stranger"),
        (web_server, "disable", "stranger"),
        (web_server, "prefer", "stranger"),
        (hangs_up, "require", "stranger"),
        (hangs_up, "disable", "stranger"),
        (silent, "require", "stranger"),
        (silent, "disable", "stranger"),
        (busy, "disable", "error"),
    ],
)
def test_what_is_no_healthy_database(
    answer: Answer, sslmode: str, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "TCP_SECONDS", 0.5)
    with server(answer) as port:
        attempt = probe_database(NodeViewpoint(Elsewhere(port=port)), door(sslmode))
    assert attempt.outcome == ended
    assert CANARY not in repr(attempt) + repr(door())


def test_a_closed_port_and_forbidden_tunnels() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    assert probe_database(NodeViewpoint(Elsewhere(port=port)), door()).outcome == "unreachable"
    assert probe_database(NodeViewpoint(Elsewhere()), door()).outcome == "forbidden"


def test_knocking_through_a_tunnel_and_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "TCP_SECONDS", 2.0)
    with server(hangs_up) as port:
        assert NodeViewpoint(Elsewhere(port=port)).tcp("db", 1).open
        found = NodeViewpoint(Elsewhere()).tcp("127.0.0.1", port)
        assert (found.open, found.tunnel) == (True, False)
    shut = NodeViewpoint(Elsewhere()).tcp("127.0.0.1", port)
    assert (shut.open, shut.tunnel) == (False, False)
    assert "refused" in shut.message.lower()
    assert not NodeViewpoint(Elsewhere(port=port)).tcp("db", 1).open
