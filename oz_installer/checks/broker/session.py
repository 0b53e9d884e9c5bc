"""Types of both brokers' clients: the stream, the server's facts, the login's result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

BrokerOutcome = Literal["in", "forbidden", "unreachable", "stranger", "refused", "vhost"]


class Stream(Protocol):
    """A connection as ``makefile("rwb")`` returns it."""

    def read(self, size: int, /) -> bytes:
        """Read ``size`` bytes, fewer at the end of the stream."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Read a line of at most ``size`` bytes."""
        ...

    def write(self, data: bytes, /) -> int:
        """Write to the buffer."""
        ...

    def flush(self) -> None:
        """Send the buffer."""
        ...


@dataclass(frozen=True, kw_only=True)
class BrokerServer:
    """A broker as it describes itself; empty or None when unknown.

    For Redis: ``mode`` is standalone, sentinel or cluster, ``role`` master or slave, ``policy`` decides what
    is evicted at ``memory_limit`` (bytes, 0: none), ``databases``: all databases that Oz uses exist.
    """

    version: str = ""
    mode: str = ""
    role: str = ""
    policy: str = ""
    memory_limit: int | None = None
    databases: bool | None = None


@dataclass(frozen=True, kw_only=True)
class BrokerLogin:
    """The result of a login; ``message`` is the reason.

    ``vhost``: only the virtual host was refused."""

    outcome: BrokerOutcome
    message: str = ""
    server: BrokerServer = BrokerServer()
