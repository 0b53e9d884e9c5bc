"""What is never done to a database (one that holds something is not dropped), and what nobody is offered."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from oz_installer.checks.context import Remedy
from oz_installer.checks.database.postgres_admin import create_database, run_statements
from oz_installer.checks.database.remedies import database_remedy
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.errors import OzError
from oz_installer.secret import Secret
from tests.unit.checks.checks_support import API, Elsewhere
from tests.unit.checks.database.test_checks_database import GROUND, door, with_admin
from tests.unit.checks.database.test_checks_postgres import server
from tests.unit.checks.database.test_checks_statements import READY, WANTED, error, message

LOST = error("FATAL", "3D000", 'database "gateway" does not exist')
CLOSED = error("FATAL", "42501", "permission denied for database")


def counted(number: int) -> bytes:
    """The answer to the question how much there is."""
    column = b"count\0" + struct.pack("!ihihih", 0, 0, 20, 8, -1, 0)
    value = str(number).encode()
    row = struct.pack("!hi", 1, len(value)) + value
    told = message(b"T", struct.pack("!h", 1) + column) + message(b"D", row)
    return told + message(b"C", b"SELECT 1\0") + READY


def postgres(content: bytes, ran: list[str]) -> Callable[[socket.socket, bytes], None]:
    """Lets everybody in, tells that of the database's content, and notes all other statements. What is no
    answer to a question is told in place of letting in."""

    def serve(peer: socket.socket, hello: bytes) -> None:
        if b"gateway\0" in hello and not content.endswith(READY):
            peer.sendall(content)
            return
        peer.sendall(message(b"R", b"\0\0\0\0") + READY)
        while told := peer.recv(4096):
            if not told.startswith(b"Q"):
                continue
            if b"pg_class" in told:
                peer.sendall(content)
            else:
                ran.append(told[5:-1].decode())
                peer.sendall(message(b"C", b"DONE\0") + READY)

    return serve


def dropping() -> Remedy:
    made = create_database("n1", "gateway", "oz", WANTED)
    return Remedy(title="take it back", node="n1", database=made.database, commands=made.undo)


@pytest.mark.parametrize(("content", "words"), [(counted(3), "holds 3 tables"), (CLOSED, "cannot tell")])
def test_what_is_not_empty_stays(content: bytes, words: str) -> None:
    ran: list[str] = []
    with server(postgres(content, ran)) as port, pytest.raises(OzError) as caught:
        run_statements(NodeViewpoint(Elsewhere(port=port)), door(), dropping(), Secret("secret"))
    assert words in caught.value.message
    assert ran == []


@pytest.mark.parametrize("content", [counted(0), LOST])
def test_what_is_empty_or_gone_is_dropped(content: bytes) -> None:
    ran: list[str] = []
    with server(postgres(content, ran)) as port:
        run_statements(NodeViewpoint(Elsewhere(port=port)), door(), dropping(), Secret("secret"))
    assert ran == ['DROP DATABASE IF EXISTS "gateway"']


@pytest.mark.parametrize(
    ("may_lend", "words"),
    [
        (
            True,
            'Run oz-install check --fix; as boss it runs: GRANT "gateway_user" TO "boss"; CREATE DATABASE',
        ),
        (False, "boss lacks the rights to do it. Ask the database administrator to run: CREATE DATABASE"),
    ],
)
def test_who_cannot_become_a_member_of_the_role_is_offered_nothing(*, may_lend: bool, words: str) -> None:
    """PostgreSQL 16: to may create roles is not enough for a role that somebody else has made."""
    ground = replace(GROUND, superuser=False, owner="", may_lend=may_lend)
    remedy, hint = database_remedy(with_admin(), API, ground)
    assert (remedy is not None) == may_lend
    assert hint.startswith(words)
    assert "GRANT" not in hint or may_lend
