"""GET as a node sees it: through a tunnel, or with bash alone where sshd forbids tunnels."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from oz_installer.deploy.compose import http_probe as subject
from oz_installer.deploy.compose.http_probe import http_status
from oz_installer.remote.transport import ForwardingForbidden
from tests.local_transport import LocalTransport
from tests.unit.deploy.compose.deploy_support import FakeTransport


class Pages(http.server.BaseHTTPRequestHandler):
    """A few pages."""

    def do_GET(self) -> None:
        """``/STATUS`` answers with that status; its body tells the Host header."""
        status = int(self.path.strip("/") or 200)
        body = f"a page\n of {self.headers['Host']} \n".encode() + b"x" * 5000
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Silence."""


class NoTunnels(LocalTransport):
    """This machine, with a sshd that forbids tunnels."""

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """Forbidden."""
        raise ForwardingForbidden(self.name)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def dead_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        found: int = sock.getsockname()[1]
        return found


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(8)
        yield sock.getsockname()[1]


WAYS = [
    pytest.param(LocalTransport("here", become="none"), id="tunnel"),
    pytest.param(NoTunnels("here", become="none"), id="bash"),
]


@pytest.mark.parametrize("node", WAYS)
@pytest.mark.parametrize("status", [200, 404, 503])
def test_status(node: LocalTransport, port: int, status: int) -> None:
    seen, said = http_status(node, "127.0.0.1", port, f"/{status}")
    assert seen == status
    assert str(status) in said
    assert len(said) < 500
    assert "\n" not in said


@pytest.mark.parametrize("node", WAYS)
def test_nobody_listens(node: LocalTransport, dead_port: int) -> None:
    seen, said = http_status(node, "127.0.0.1", dead_port, "/")
    assert seen == 0
    assert "refused" in said


@pytest.mark.parametrize("node", WAYS)
def test_silence_ends(node: LocalTransport, mute_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "TIMEOUT", 1.0)
    seen, said = http_status(node, "127.0.0.1", mute_port, "/")
    assert seen == 0
    assert said


@pytest.mark.parametrize("node", WAYS)
def test_a_host_that_does_not_resolve(node: LocalTransport) -> None:
    assert http_status(node, "no-such-host.invalid", 80, "/")[0] == 0


def test_what_speaks_no_http_has_no_status() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(2)

        def greet() -> None:
            for _ in WAYS:
                peer, _address = server.accept()
                with peer:
                    peer.sendall(b"SSH-2.0-OpenSSH\r\n")

        threading.Thread(target=greet, daemon=True).start()
        for param in WAYS:
            node = param.values[0]
            assert isinstance(node, LocalTransport)
            seen, said = http_status(node, "127.0.0.1", server.getsockname()[1], "/")
            assert seen == 0
            assert said


def test_without_tunnels_host_and_path_are_data() -> None:
    node = FakeTransport(tunnels=False)
    status, said = http_status(node, "$(id)", 80, "/'; id")
    assert status == 0
    assert said.startswith("no answer")
    argv = node.sent[0].argv
    assert argv[-3:] == ("$(id)", "80", "/'; id")
    assert "id" not in argv[4].replace("Host", "")


def test_tunnels_are_closed(port: int) -> None:
    class Counting(FakeTransport):
        def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
            opened.append(super().tunnel(host, port, timeout=timeout))
            return opened[-1]

    opened: list[socket.socket] = []
    for status in (200, 500):
        assert http_status(Counting(), "127.0.0.1", port, f"/{status}")[0] == status
    assert all(sock.fileno() == -1 for sock in opened)
