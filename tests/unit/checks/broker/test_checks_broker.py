"""Brokers of the operator's own: every judge, and talking to what is no healthy Redis or RabbitMQ."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oz_installer.answers.sections import Broker as Answered
from oz_installer.checks.broker import broker, rabbitmq
from oz_installer.checks.broker.broker import BrokerCheck, BrokerFacts
from oz_installer.checks.broker.session import BrokerLogin, BrokerServer
from oz_installer.checks.context import CheckContext
from oz_installer.checks.network.tcp import TcpResult
from oz_installer.remote.transport import Transport
from oz_installer.secret import Secret
from tests.unit.checks.checks_support import CANARY, Elsewhere, judged, levels, no_line, site
from tests.unit.checks.database.test_checks_postgres import server

REDIS = BrokerServer(
    version="7.2.4",
    mode="standalone",
    role="master",
    policy="volatile-ttl",
    memory_limit=1 << 29,
    databases=True,
)
RABBIT = BrokerServer(version="3.13.7")
Reach = Callable[[str], Transport]


def at(
    kind: str = "redis", reach: Reach = no_line, password: str = CANARY, host: str | None = "mq"
) -> CheckContext:
    """Answers with a broker of that type."""
    base = site(reach)
    answered = Answered(type="redis" if kind == "redis" else "rabbitmq", host=host)
    secrets = {**base.secrets, **({"broker.password": Secret(password)} if password else {})}
    return replace(base, answers=replace(base.answers, broker=answered), secrets=secrets)


def facts(found: BrokerServer = REDIS, **changes: Any) -> BrokerFacts:
    return BrokerFacts(attempt=BrokerLogin(outcome="in", server=replace(found, **changes)))


# ---- judges


@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
@pytest.mark.parametrize(
    ("seen", "bad", "words"),
    [
        (BrokerFacts(attempt=BrokerLogin(outcome="unreachable", message="refused")), {"broker": "failure"},
         "cannot be reached: refused"),
        (BrokerFacts(attempt=BrokerLogin(outcome="stranger", message="no RESP")), {"broker": "failure"},
         "does not speak"),
        (BrokerFacts(attempt=BrokerLogin(outcome="refused", message="wrong")), {"broker.login": "failure"},
         "refuses the login: wrong"),
        (BrokerFacts(attempt=BrokerLogin(outcome="forbidden"), tcp=TcpResult(open=True)),
         {"broker": "warning"},
         "the login was not checked"),
        (BrokerFacts(
            attempt=BrokerLogin(outcome="forbidden"), tcp=TcpResult(open=False, message="timed out")
        ),
         {"broker": "failure"}, "cannot be reached: timed out"),
    ],
)  # fmt: skip
def test_from_outside(kind: str, seen: BrokerFacts, bad: dict[str, str], words: str) -> None:
    found = judged(BrokerCheck(), seen, at=at(kind))
    assert levels(found) == bad
    assert words in " ".join(one.seen for one in found.values())


@pytest.mark.parametrize(
    ("changes", "bad", "words"),
    [
        ({}, {}, "volatile-ttl, 512 MB"),
        ({"version": "6.2.0"}, {}, "Redis 6.2.0"),
        ({"version": "6.0.16"}, {"broker.version": "warning"}, "Redis 6.0.16"),
        ({"version": ""}, {}, "does not report its version"),
        ({"mode": "cluster"}, {"broker.mode": "failure"}, "cluster"),
        ({"mode": "sentinel"}, {"broker.mode": "failure"}, "sentinel"),
        ({"role": "slave"}, {"broker.mode": "failure"}, "a read-only replica"),
        ({"mode": "", "role": ""}, {}, "does not report its mode"),
        ({"databases": False}, {"broker.databases": "failure"}, "there is no database 3"),
        ({"databases": None}, {"broker.databases": "warning"}, "may not select database 3"),
        ({"policy": "noeviction"}, {}, "noeviction"),
        ({"policy": "volatile-lru"}, {}, "volatile-lru"),
        ({"policy": "allkeys-lru"}, {"broker.policy": "warning"}, "allkeys-lru"),
        ({"policy": "allkeys-random", "memory_limit": None}, {"broker.policy": "warning"}, "allkeys-random"),
        ({"policy": "allkeys-lru", "memory_limit": 0}, {}, "allkeys-lru, no limit"),
        ({"policy": "", "memory_limit": None}, {}, "does not report its memory policy"),
    ],
)
def test_redis(changes: dict[str, Any], bad: dict[str, str], words: str) -> None:
    found = judged(BrokerCheck(), facts(**changes), at=at())
    assert levels(found) == bad
    assert words in " ".join(one.seen for one in found.values())


def test_rabbitmq() -> None:
    found = judged(BrokerCheck(), facts(RABBIT), at=at("rabbitmq"))
    assert levels(found) == {}
    assert set(found) == {"broker.login", "broker.version"}
    shut = BrokerLogin(outcome="vhost", message="NOT_ALLOWED - vhost / not found", server=RABBIT)
    found = judged(BrokerCheck(), BrokerFacts(attempt=shut), at=at("rabbitmq"))
    assert levels(found) == {"broker.vhost": "failure"}
    assert "rabbitmqctl" in found["broker.vhost"].hint


def test_only_brokers_of_the_operators_own_are_asked() -> None:
    assert len(BrokerCheck().nodes(at())) == 2
    assert BrokerCheck().nodes(at(host=None)) == ()


def test_a_password_that_nobody_gave_is_asked_for() -> None:
    refused = BrokerFacts(attempt=BrokerLogin(outcome="refused", message="NOAUTH Authentication required."))
    assert "Set broker.password" in judged(BrokerCheck(), refused, at=at(password=""))["broker.login"].hint


# ---- talking to Redis


class Redis:
    """A Redis that knows what it is told to."""

    def __init__(self, **answers: bytes) -> None:
        self.answers = {
            "AUTH": b"+OK\r\n", "PING": b"+PONG\r\n", "SELECT": b"+OK\r\n", "INFO": bulk(INFO), **answers
        }  # fmt: skip
        self.heard = b""

    def __call__(self, peer: socket.socket, heard: bytes) -> None:
        while heard:
            self.heard += heard
            word = heard.split(b"\r\n")[2].decode()
            peer.sendall(self.answers[word])
            heard = peer.recv(4096)


INFO = (
    b"# Server\r\nredis_version:7.2.4\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory:536870912\r\n"
    b"maxmemory_policy:volatile-ttl\r\n"
)


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


def asked(kind: str, answer: Any, password: str = CANARY) -> BrokerLogin:
    """How one node's talk to such a server ends."""
    with server(answer) as port:
        reach = at(kind, lambda name: Elsewhere(name, port=port), password)
        found = BrokerCheck().probe(reach, reach.api_nodes[0]).attempt
    assert CANARY not in repr(found)
    return found


def test_a_healthy_redis() -> None:
    redis = Redis()
    assert asked("redis", redis) == BrokerLogin(outcome="in", server=REDIS)
    assert b"AUTH\r\n$15\r\ncanary-password" in redis.heard
    assert b"SELECT\r\n$1\r\n3\r\n" in redis.heard
    open_one = Redis()
    assert asked("redis", open_one, password="").outcome == "in"
    assert b"AUTH" not in open_one.heard


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"AUTH": b"-WRONGPASS invalid username-password pair\r\n"},
         BrokerLogin(outcome="refused", message="WRONGPASS invalid username-password pair")),
        ({"PING": b"-LOADING Redis is loading\r\n"},
         BrokerLogin(outcome="refused", message="LOADING Redis is loading")),
        ({"SELECT": b"-ERR DB index is out of range\r\n"},
         BrokerLogin(outcome="in", server=replace(REDIS, databases=False))),
        ({"SELECT": b"-NOPERM no permission\r\n"},
         BrokerLogin(outcome="in", server=replace(REDIS, databases=None))),
        ({"INFO": b"-NOPERM no permission\r\n"},
         BrokerLogin(outcome="in", server=BrokerServer(databases=True))),
        ({"PING": b"HTTP/1.1 400 Bad Request\r\n"},
         BrokerLogin(outcome="stranger", message="its answer is not RESP")),
        ({"INFO": b"$99999999999\r\n"}, BrokerLogin(outcome="stranger", message="its answer is not RESP")),
        ({"INFO": b"$-1\r\n"}, BrokerLogin(outcome="stranger", message="its answer is not RESP")),
    ],
)  # fmt: skip
def test_a_redis_that_says_something_else(answers: dict[str, bytes], expected: BrokerLogin) -> None:
    assert asked("redis", Redis(**answers)) == expected


def hangs_up(peer: socket.socket, heard: bytes) -> None:
    return


def silent(peer: socket.socket, heard: bytes) -> None:
    peer.recv(1)


def web(peer: socket.socket, heard: bytes) -> None:
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def endless(peer: socket.socket, heard: bytes) -> None:
    while True:
        peer.sendall(b"x" * 65536)


@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
@pytest.mark.parametrize("answer", [hangs_up, silent, web, endless])
def test_what_is_no_broker(kind: str, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "TCP_SECONDS", 0.5)
    assert asked(kind, answer).outcome == "stranger"


def test_a_closed_port_and_forbidden_tunnels() -> None:
    with server(hangs_up) as port:
        pass
    shut = at(reach=lambda name: Elsewhere(name, port=port))
    assert BrokerCheck().probe(shut, shut.api_nodes[0]).attempt.outcome == "unreachable"
    forbidden = at(reach=Elsewhere, host="127.0.0.1")
    found = BrokerCheck().probe(forbidden, forbidden.api_nodes[0])
    assert found.attempt.outcome == "forbidden"
    assert found.tcp is not None


# ---- talking to RabbitMQ


def frame(method: tuple[int, int], arguments: bytes, end: int = 0xCE) -> bytes:
    payload = struct.pack("!HH", *method) + arguments
    return struct.pack("!BHI", 1, 0, len(payload)) + payload + bytes((end,))


def short(text: bytes) -> bytes:
    return bytes((len(text),)) + text


def long(text: bytes) -> bytes:
    return struct.pack("!I", len(text)) + text


PROPERTIES = (
    short(b"capabilities") + b"F" + long(short(b"publisher_confirms") + b"t\x01")
    + short(b"limit") + b"I" + struct.pack("!i", 7)
    + short(b"version") + b"S" + long(b"3.13.7")
)  # fmt: skip
START = frame((10, 10), b"\x00\x09" + long(PROPERTIES) + long(b"PLAIN AMQPLAIN") + long(b"en_US"))
TUNE = frame((10, 30), struct.pack("!HIH", 2047, 131072, 60))
HEARTBEAT = struct.pack("!BHI", 8, 0, 0) + b"\xce"


def close(code: int, text: bytes) -> bytes:
    return frame((10, 50), struct.pack("!H", code) + short(text) + struct.pack("!HH", 10, 11))


class Rabbit:
    """Says one thing after each that it hears."""

    def __init__(self, *words: bytes) -> None:
        self.words = words
        self.heard = b""
        self.over = threading.Event()  # the client may be gone before the last words are noted

    def __call__(self, peer: socket.socket, heard: bytes) -> None:
        for word in self.words:
            self.heard += heard
            peer.sendall(word)
            heard = peer.recv(4096)
        self.heard += heard
        self.over.set()


def test_a_healthy_rabbitmq() -> None:
    rabbit = Rabbit(START, TUNE, HEARTBEAT + frame((10, 41), b"\x00"), frame((10, 51), b""))
    assert asked("rabbitmq", rabbit) == BrokerLogin(outcome="in", server=RABBIT)
    assert rabbit.over.wait(10)
    assert rabbit.heard.startswith(b"AMQP\x00\x00\x09\x01")
    assert b"\x00oz\x00canary-password" in rabbit.heard
    assert struct.pack("!HH", 10, 50) in rabbit.heard  # said good-bye


@pytest.mark.parametrize(
    ("words", "ended", "said"),
    [
        ((START, close(403, b"ACCESS_REFUSED - Login was refused")), "refused", "ACCESS_REFUSED"),
        ((START,), "refused", "closes the connection after the login"),
        ((START, TUNE, close(530, b"NOT_ALLOWED - vhost / not found")), "vhost", "vhost / not found"),
        ((START, TUNE), "vhost", "closes the connection"),
        ((b"AMQP\x00\x01\x00\x00",), "stranger", "not AMQP"),
        ((frame((10, 10), b"\x00\x09" + long(PROPERTIES), end=0),), "stranger", "not AMQP"),
        ((frame((20, 10), b""),), "stranger", "20.10"),
        ((struct.pack("!BHI", 1, 0, 1 << 30),), "stranger", "not AMQP"),
    ],
)
def test_a_rabbitmq_that_says_something_else(words: tuple[bytes, ...], ended: str, said: str) -> None:
    found = asked("rabbitmq", Rabbit(*words))
    assert found.outcome == ended
    assert said in found.message


@pytest.mark.parametrize(
    ("table", "version"),
    [
        (b"", ""),
        (short(b"version") + b"S" + long(b"4.0.1"), "4.0.1"),
        (short(b"a") + b"t\x01" + short(b"version") + b"S" + long(b"4.0.1"), "4.0.1"),
        (short(b"a") + b"?" + short(b"version") + b"S" + long(b"4.0.1"), ""),
        (short(b"a") + b"V" + short(b"version") + b"S" + long(b"4"), "4"),
    ],
)
def test_the_version_among_the_properties(table: bytes, version: str) -> None:
    assert rabbitmq._version(b"\x00\x09" + long(table)) == version
