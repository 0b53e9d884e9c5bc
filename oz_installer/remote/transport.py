"""The interface to a node: commands, streams, tunnels, and their errors."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Protocol

from oz_installer.errors import ConnectError, OzError
from oz_installer.frozen import dataclass
from oz_installer.text import without_cut_word

LOCALE = "C"
"""The locale (LC_ALL) of every command on a node: parsed text must not be translated."""

TIMED_OUT = (124, 143)
"""Exit statuses of ``timeout`` when the time is up: coreutils', busybox's."""


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """The result of a command. ``status`` is the exit status; a signal is 128 + its number."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the exit status is 0."""
        return self.status == 0

    @property
    def text(self) -> str:
        """Decode stdout."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def stderr_text(self) -> str:
        """Decode stderr, stripped."""
        return self.stderr.decode("utf-8", "replace").strip()


class CommandFailed(OzError):
    """A command that had to succeed failed; carries its result."""

    def __init__(self, node: str, result: CommandResult) -> None:
        output = result.stderr_text or result.text.strip()
        last = without_cut_word(" ".join(output.splitlines()[-3:]), 600)
        super().__init__(f"{result.argv[0]} ended with status {result.status}: {last}", node=node)
        self.result = result


class ForwardingForbidden(ConnectError):
    """The node's sshd forbids tunnels; a check must then connect from the node's own shell."""

    def __init__(self, node: str) -> None:
        super().__init__(
            "sshd forbids tunnels (AllowTcpForwarding no)",
            "Set `AllowTcpForwarding local` in its sshd_config, or continue without checks through the node.",
            node=node,
        )


class TunnelRefused(ConnectionRefusedError):
    """The connection at the tunnel's end was refused; ``reason`` is sshd's message alone."""

    def __init__(self, address: str, node: str, reason: str) -> None:
        super().__init__(f"{address} cannot be reached from {node}: {reason}")
        self.reason = reason


class TunnelTimeout(TimeoutError):
    """No answer at the tunnel's end in time; ``reason`` says so without the address."""

    def __init__(self, address: str, node: str, seconds: float) -> None:
        super().__init__(f"{address} did not answer {node} within {seconds:g} s")
        self.reason = f"no answer within {seconds:g} s"


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file to write: path relative to the upload's folder, bytes, permission bits."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644


# Payload of one channel packet of 32,768 bytes; larger writes are split unevenly and are slower (measured).
BLOCK = 32_704

ByteProgress = Callable[[int], None]


class CommandRunner(Protocol):
    """A place that runs commands over one connection.

    Methods may be called from several threads.

    ``become`` runs the command as root through sudo; it has no effect when the login is root or the
    answers set ``become: none`` for the node. Raises ConnectError when the connection is lost,
    CommandFailed with ``check``.
    """

    name: str

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] | None = None,
        become: bool = True,
        timeout: float = 120.0,
        check: bool = False,
        on_output: Callable[[bytes], None] | None = None,
        on_sent: ByteProgress | None = None,
    ) -> CommandResult:
        """Run a command and wait. ``timeout`` is the longest silence in seconds: no byte either way.

        ``on_output`` gets stdout and stderr as they arrive; ``on_sent`` the bytes of stdin sent so far. A
        command that neither follows, and whose stdin is no stream, may take twice the timeout in all; of one
        that is followed only the end of a very long output is returned (``remote/limits.py``).
        """
        ...

    def stream(self, argv: Sequence[str], *, become: bool = True, timeout: float = 30.0) -> socket.socket:
        """Run a command whose stdin and stdout are a socket; closing the socket ends the command."""
        ...

    def close(self) -> None:
        """Close the connection; may be called twice."""
        ...


class Tunnel(Protocol):
    """A source of TCP connections as a node sees them."""

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """Open a TCP connection to host:port as the node sees it (direct-tcpip)."""
        ...

    def forwarding_allowed(self) -> bool:
        """Return whether the node allows tunnels."""
        ...


class Transport(CommandRunner, Tunnel, Protocol):
    """A node over one SSH connection, or this machine."""

    @property
    def host_key_fingerprint(self) -> str:
        """The fingerprint of the node's host key; empty without one."""
        ...
