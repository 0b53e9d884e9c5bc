"""How talking to a broker ended, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Ended = Literal["in", "forbidden", "unreachable", "stranger", "refused", "vhost"]


class Stream(Protocol):
    """A connection as ``makefile("rwb")`` gives it."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end."""
        ...

    def readline(self, size: int, /) -> bytes:
        """A line of at most so many bytes."""
        ...

    def write(self, data: bytes, /) -> int:
        """Into the buffer."""
        ...

    def flush(self) -> None:
        """Onto the wire."""
        ...


@dataclass(frozen=True, kw_only=True)
class BrokerServer:
    """A broker as it describes itself; empty or None where it does not say.

    Of Redis: ``mode`` is standalone, sentinel or cluster, ``role`` master or slave, ``policy`` what is thrown
    away when ``memory_limit`` (bytes, 0: none) is reached, ``databases`` whether all that Oz uses are there.
    """

    version: str = ""
    mode: str = ""
    role: str = ""
    policy: str = ""
    memory_limit: int | None = None
    databases: bool | None = None


@dataclass(frozen=True, kw_only=True)
class BrokerLogin:
    """``said`` is why not. ``vhost``: let in, but not into RabbitMQ's virtual host."""

    ended: Ended
    message: str = ""
    server: BrokerServer = BrokerServer()
