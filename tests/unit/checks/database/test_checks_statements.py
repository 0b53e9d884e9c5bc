"""Statements that end early: which were done, and which of them are still to be taken back."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pytest

from oz_installer.checks.context import Remedy
from oz_installer.checks.database.postgres_admin import (
    StatementsFailed,
    change_owner,
    create_database,
    create_extension,
    create_role,
    run_statements,
)
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.secret import Secret
from tests.unit.checks.checks_support import CANARY, Elsewhere, site
from tests.unit.checks.database.test_checks_database import door
from tests.unit.checks.database.test_checks_postgres import server

WANTED = site().release.database
READY = b"Z\0\0\0\5I"


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def error(severity: str, state: str, text: str) -> bytes:
    return message(b"E", f"S{severity}\0C{state}\0M{text}\0\0".encode())


def postgres(word: str, answer: bytes) -> Callable[[socket.socket, bytes], None]:
    """Lets everybody in and does every statement; to one with this word it answers that, or hangs up."""

    def serve(peer: socket.socket, _: bytes) -> None:
        peer.sendall(message(b"R", b"\0\0\0\0") + READY)
        while told := peer.recv(4096):
            if told.startswith(b"Q") and word.encode() in told:
                peer.sendall(answer)
                if not answer.endswith(READY):
                    return
            elif told.startswith(b"Q"):
                peer.sendall(message(b"C", b"DONE\0") + READY)

    return serve


REFUSED = error("ERROR", "42501", "permission denied to create database") + READY
KILLED = error("FATAL", "57P01", "terminating connection due to administrator command")


@pytest.mark.parametrize(
    ("word", "answer", "done", "tried", "words"),
    [
        ("CREATE", REFUSED, 1, 1, "«CREATE DATABASE"),
        ("CREATE", REFUSED, 1, 1, "permission denied to create database"),
        ("CREATE", b"", 1, 2, "the connection to PostgreSQL broke"),
        ("CREATE", KILLED, 1, 2, "the connection to PostgreSQL broke"),
        ("GRANT", REFUSED, 0, 0, '«GRANT "oz" TO "boss"»'),
        ("GRANT", error("ERROR", "28000", "no such role") + READY, 0, 0, "no such role"),
        ("REVOKE", b"", 2, 3, '«REVOKE "oz" FROM "boss"»'),
    ],
)
def test_statements_that_end_early(word: str, answer: bytes, done: int, tried: int, words: str) -> None:
    """What is refused has changed nothing; where the connection breaks, nobody knows."""
    remedy = create_database("n1", "gateway", "oz", WANTED, "boss")
    with server(postgres(word, answer)) as port, pytest.raises(StatementsFailed) as caught:
        run_statements(NodeViewpoint(Elsewhere(port=port)), door(), remedy, Secret(CANARY))
    assert (caught.value.done, caught.value.tried) == (done, tried)
    assert words in caught.value.message
    assert "administrator boss" not in caught.value.message  # he got in


def test_no_password_is_told_when_its_statement_fails() -> None:
    with server(postgres("CREATE", b"")) as port, pytest.raises(StatementsFailed) as caught:
        run_statements(NodeViewpoint(Elsewhere(port=port)), door(), create_role("n1", "oz"), Secret(CANARY))
    assert "PASSWORD $1»" in caught.value.message
    assert "SCRAM" not in caught.value.message


LEND, BACK = 'GRANT "oz" TO "boss"', 'REVOKE "oz" FROM "boss"'
DROP = 'DROP DATABASE IF EXISTS "gateway"'
KEEP = 'REVOKE CREATE ON SCHEMA public FROM "oz"'
OWNER = 'ALTER DATABASE "gateway" OWNER TO "boss"'


@pytest.mark.parametrize(
    ("remedy", "left"),
    [
        (create_role("n", "oz"), [[], ['DROP ROLE IF EXISTS "oz"']]),
        (create_extension("n", "gateway", "pgcrypto"), [[], ['DROP EXTENSION IF EXISTS "pgcrypto"']]),
        (create_database("n", "gateway", "oz", WANTED), [[], [DROP]]),
        (
            create_database("n", "gateway", "oz", WANTED, "boss"),
            [[], [BACK], [LEND, DROP, BACK], [LEND, DROP, BACK]],
        ),
        (change_owner("n", "gateway", "oz", "boss"), [[], [OWNER], [KEEP, OWNER]]),
        (
            change_owner("n", "gateway", "oz", "boss", "boss"),
            [[], [BACK], [LEND, OWNER, BACK], [LEND, KEEP, OWNER, BACK], [LEND, KEEP, OWNER, BACK]],
        ),
    ],
)
def test_what_is_left_after_each_statement(remedy: Remedy, left: list[list[str]]) -> None:
    """A database that was there before is never dropped, and nobody keeps what was lent to him."""
    found = [[text for text, *_ in remedy.undo_for(tried)] for tried in range(len(remedy.commands) + 1)]
    assert found == left
