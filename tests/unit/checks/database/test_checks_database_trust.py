"""H3: no password for a server that nobody vouches for; authorities of the answers make verify-full work."""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.answers.authorities_file import read_authorities
from oz_installer.answers.file import loads
from oz_installer.answers.local_files import UnreadableFile
from oz_installer.checks.database.connection_settings import ConnectionSettings
from oz_installer.checks.database.database import DatabaseCheck, DatabaseFacts
from oz_installer.checks.database.postgres import LoginResult, log_in_as_admin, probe_database
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.errors import AnswersError
from oz_installer.secret import Secret
from oz_installer.topology.planner import plan_topology
from tests.unit.checks.checks_support import Elsewhere, judged
from tests.unit.checks.database.test_checks_postgres import SSL_REQUEST, server
from tests.unit.checks.tls_support import write_certificate

CANARY = "CanaryPgAdmin9090"
CLEAR, MD5 = struct.pack("!i", 3), struct.pack("!i", 5) + b"salt"
GREEDY = struct.pack("!i", 11) + b"r=%s,s=c2FsdA==,i=2147483647"
TEXT = """\
version: 1
scenario: medium
public_url: https://oz.example.com
nodes: [{name: n1, host: 10.0.0.1}, {name: n2, host: 10.0.0.2}]
database: {host: db.example.com, password: {env: X}, %s}
storage: {type: path, path: /mnt/oz}
updater: {token: {env: X}}
"""


def node_at(port: int) -> NodeViewpoint:
    """A node whose tunnels lead to that port here."""
    return NodeViewpoint(Elsewhere(port=port))


def request(body: bytes) -> bytes:
    """A message of authentication."""
    return b"R" + struct.pack("!i", len(body) + 4) + body


class Thief:
    """Whoever stands before the database: takes TLS, asks for the password, notes what it gets."""

    def __init__(self, certificate: Path | None, asks: bytes) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate is not None:
            self.context.load_cert_chain(certificate)
        self.asks = asks
        self.got = b""

    def __call__(self, peer: socket.socket, said: bytes) -> None:
        """One connection."""
        if said == SSL_REQUEST:
            peer.sendall(b"S")
            with self.context.wrap_socket(peer, server_side=True) as wrapped:
                self._ask(wrapped, wrapped.recv(4096))
        else:
            self._ask(peer, said)

    def _ask(self, sock: socket.socket, said: bytes) -> None:
        del said
        if self.asks is GREEDY:
            sock.sendall(request(struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))
            first = sock.recv(4096)
            nonce = first.partition(b",r=")[2]
            sock.sendall(request(GREEDY.replace(b"%s", nonce + b"more")))
        else:
            sock.sendall(request(self.asks))
        self.got += sock.recv(4096)


def login(sslmode: str, authorities: str = "", host: str = "db.example.com") -> ConnectionSettings:
    """The administrator's."""
    return ConnectionSettings(
        host=host,
        port=5432,
        name="postgres",
        user="postgres",
        password=Secret(CANARY),
        sslmode=sslmode,
        authorities=authorities,
    )


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of an authority that no workstation knows."""
    return write_certificate(tmp_path, ["db.example.com"])


@pytest.mark.parametrize("sslmode", ["disable", "prefer", "require"])
@pytest.mark.parametrize("asks", [CLEAR, MD5, GREEDY], ids=["clear", "md5", "greedy"])
def test_h3_a_thief_gets_no_password(sslmode: str, asks: bytes, certificate: Path) -> None:
    thief = Thief(certificate, asks)
    with server(thief) as port:
        node = node_at(port)
        for attempt in (
            probe_database(node, login(sslmode)),
            log_in_as_admin(node, login(sslmode), "gateway_user", "gateway"),
        ):
            assert attempt.outcome == "insecure"
            assert "asks for the password" in attempt.message
    assert CANARY.encode() not in thief.got
    assert b"md5" not in thief.got


def test_h3_a_verified_server_may_ask_in_clear(certificate: Path) -> None:
    authorities = (certificate.parent / "ca.pem").read_text(encoding="ascii")
    for sslmode in ("require", "verify-ca", "verify-full"):
        thief = Thief(certificate, CLEAR)
        with server(thief) as port:
            probe_database(node_at(port), login(sslmode, authorities))
        assert CANARY.encode() in thief.got


@pytest.mark.parametrize(
    ("sslmode", "host", "outcome"),
    [
        ("verify-full", "other.example.com", "untrusted"),
        ("verify-ca", "other.example.com", "insecure"),
        ("verify-full", "db.example.com", "insecure"),
    ],
)
def test_h3_verify_full_compares_the_name(
    sslmode: str, host: str, outcome: str, certificate: Path, tmp_path: Path
) -> None:
    authorities = (certificate.parent / "ca.pem").read_text(encoding="ascii")
    with server(Thief(certificate, GREEDY)) as port:
        assert probe_database(node_at(port), login(sslmode, authorities, host)).outcome == outcome
    (tmp_path / "other").mkdir()
    other = write_certificate(tmp_path / "other", ["db.example.com"])
    with server(Thief(other, CLEAR)) as port:
        assert probe_database(node_at(port), login(sslmode, authorities)).outcome == "untrusted"


def test_h3_the_check_says_that_it_gave_no_password() -> None:
    attempt = LoginResult(outcome="insecure", message="the server asks for the password in clear text")
    found = judged(DatabaseCheck(), DatabaseFacts(attempt=attempt))["database.login"]
    assert found.level == "warning"
    assert "not checked" in found.seen
    assert "ca_file" in found.hint
    admin = replace(attempt, message="the server asks for the password as an MD5 hash")
    found = judged(DatabaseCheck(), DatabaseFacts(attempt=attempt, admin=admin))["database.admin"]
    assert "MD5" in found.seen


def write(folder: Path, content: bytes) -> Path:
    """A file."""
    (folder / "file.pem").write_bytes(content)
    return folder / "file.pem"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no PEM\n", "holds no certificate"), (b"", "is empty"), (b"x" * 1_100_000, "larger than 1 MB")],
)
def test_h3_what_is_no_file_of_authorities(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=words):
        read_authorities(write(tmp_path, content))


def test_h3_a_private_key_does_not_go_to_the_nodes(certificate: Path) -> None:
    with pytest.raises(UnreadableFile, match="private key"):
        read_authorities(certificate)
    assert read_authorities(certificate.parent / "ca.pem")


@pytest.mark.parametrize(
    ("given", "key", "words"),
    [
        ("sslmode: verify-full", "database.sslmode", "database.ca_file"),
        ("ca_file: ca.pem", "database.ca_file", "is not used with sslmode prefer"),
        ("sslmode: disable, ca_file: ca.pem", "database.ca_file", "is not used with sslmode disable"),
    ],
)
def test_h3_answers_that_verify_nothing(given: str, key: str, words: str) -> None:
    with pytest.raises(AnswersError) as caught:
        plan_topology(loads(TEXT % given))
    assert [one.key for one in caught.value.problems] == [key]
    assert words in str(caught.value.problems[0])


def test_h3_verify_full_is_taken_with_authorities() -> None:
    topology = plan_topology(loads(TEXT % "sslmode: verify-full, ca_file: ca.pem"))
    assert [one.name for one in topology.nodes] == ["n1", "n2"]
