"""Login to Redis and queries about the server, by a minimal RESP client."""

from __future__ import annotations

import socket

from oz_installer.checks.broker.session import BrokerLogin, BrokerServer, Stream
from oz_installer.secret import Secret
from oz_installer.text import parse_int, safe_line

LONGEST = 1 << 20
"""Most bytes of an answer; INFO has about 10 KB."""


class RedisError(Exception):
    """An error answer of Redis. Its first word is the kind."""

    @property
    def kind(self) -> str:
        """The kind of the error: ``NOAUTH``, ``NOPERM``, ``ERR``."""
        return str(self).partition(" ")[0]


def log_in(sock: socket.socket, password: Secret | None, databases: int) -> BrokerLogin:
    """Log in and query; ``databases`` is the number of databases that Oz uses. Raises OSError."""
    with sock.makefile("rwb") as stream:
        try:
            try:
                if password:
                    command(stream, "AUTH", password.reveal())
                command(stream, "PING")
            except RedisError as error:
                return BrokerLogin(outcome="refused", message=safe_line(error))
            return BrokerLogin(outcome="in", server=_server(stream, databases))
        except ValueError as error:
            return BrokerLogin(outcome="stranger", message=safe_line(error))


def _server(stream: Stream, databases: int) -> BrokerServer:
    """Read the server's facts; without the right to INFO they stay empty."""
    info: dict[str, str] = {}
    try:
        text = command(stream, "INFO")
        info = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    except RedisError:
        pass
    return BrokerServer(
        version=safe_line(info.get("redis_version", "")),
        mode=safe_line(info.get("redis_mode", "")),
        role=safe_line(info.get("role", "")),
        policy=safe_line(info.get("maxmemory_policy", "")),
        memory_limit=parse_int(info.get("maxmemory", "")),
        databases=_has_database(stream, databases - 1),
    )


def _has_database(stream: Stream, index: int) -> bool | None:
    """Return whether a database can be selected.

    CONFIG GET has their number, but is often forbidden."""
    try:
        command(stream, "SELECT", str(index))
    except RedisError as error:
        return None if error.kind == "NOPERM" else False
    return True


def command(stream: Stream, *words: str) -> str:
    """Send a command and return its answer: a status, a number or a text.

    Raises RedisError for an error answer, ValueError for an answer that is not RESP, OSError.
    """
    parts = [word.encode() for word in words]
    request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
    stream.write(request)
    stream.flush()
    head = stream.readline(LONGEST)
    kind, rest = head[:1], head[1:].rstrip(b"\r\n")
    if not head.endswith(b"\r\n"):
        raise ValueError("it closes the connection" if not head else "its answer is not RESP")
    if kind == b"-":
        raise RedisError(rest.decode("utf-8", "replace"))
    if kind in (b"+", b":"):
        return rest.decode("utf-8", "replace")
    if kind != b"$" or not rest.isdigit() or int(rest) > LONGEST:
        raise ValueError("its answer is not RESP")
    body = stream.read(int(rest) + 2)
    if len(body) != int(rest) + 2:
        raise ValueError("it closes the connection")
    return body[:-2].decode("utf-8", "replace")
