"""Asks a Redis about itself: the few words of RESP that this takes."""

from __future__ import annotations

import socket

from oz_installer.checks.broker.session import BrokerLogin, BrokerServer, Stream
from oz_installer.secret import Secret
from oz_installer.text import parse_int, safe_line

LONGEST = 1 << 20
"""No answer is longer, in bytes: INFO has some 10 KB."""


class RedisError(Exception):
    """An error that Redis answered with. Its first word is the kind."""

    @property
    def kind(self) -> str:
        """``NOAUTH``, ``NOPERM``, ``ERR``..."""
        return str(self).partition(" ")[0]


def log_in(sock: socket.socket, password: Secret | None, databases: int) -> BrokerLogin:
    """Log in and ask; ``databases`` is the number of those that Oz uses. Raises OSError."""
    with sock.makefile("rwb") as stream:
        try:
            try:
                if password:
                    command(stream, "AUTH", password.reveal())
                command(stream, "PING")
            except RedisError as refusal:
                return BrokerLogin(ended="refused", message=safe_line(refusal))
            return BrokerLogin(ended="in", server=_server(stream, databases))
        except ValueError as error:
            return BrokerLogin(ended="stranger", message=safe_line(error))


def _server(stream: Stream, databases: int) -> BrokerServer:
    """What a login may not ask stays untold: INFO can be forbidden."""
    told: dict[str, str] = {}
    try:
        text = command(stream, "INFO")
        told = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    except RedisError:
        pass
    return BrokerServer(
        version=safe_line(told.get("redis_version", "")),
        mode=safe_line(told.get("redis_mode", "")),
        role=safe_line(told.get("role", "")),
        policy=safe_line(told.get("maxmemory_policy", "")),
        memory_limit=parse_int(told.get("maxmemory", "")),
        databases=_has_database(stream, databases - 1),
    )


def _has_database(stream: Stream, index: int) -> bool | None:
    """Whether a database can be chosen: CONFIG GET would say their number, but is often forbidden."""
    try:
        command(stream, "SELECT", str(index))
    except RedisError as refusal:
        return None if refusal.kind == "NOPERM" else False
    return True


def command(stream: Stream, *words: str) -> str:
    """Say one command and hear its answer: a status, a number or a text.

    Raises Refusal for an error that is answered, ValueError for what is no RESP, OSError.
    """
    parts = [word.encode() for word in words]
    request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
    stream.write(request)
    stream.flush()
    head = stream.readline(LONGEST)
    kind, rest = head[:1], head[1:].rstrip(b"\r\n")
    if not head.endswith(b"\r\n"):
        raise ValueError("it hangs up" if not head else "its answer is no RESP")
    if kind == b"-":
        raise RedisError(rest.decode("utf-8", "replace"))
    if kind in (b"+", b":"):
        return rest.decode("utf-8", "replace")
    if kind != b"$" or not rest.isdigit() or int(rest) > LONGEST:
        raise ValueError("its answer is no RESP")
    body = stream.read(int(rest) + 2)
    if len(body) != int(rest) + 2:
        raise ValueError("it hangs up")
    return body[:-2].decode("utf-8", "replace")
