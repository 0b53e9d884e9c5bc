"""The viewpoint of a check: the node, or later the container or pod, that it connects from.

What one place reaches says nothing about another. Checks open connections only through a viewpoint, so
another platform brings its own; what belongs to the node itself (its engine, disks, listeners) takes a
transport.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Protocol

from oz_installer.checks.network.tcp import TCP_SECONDS, TcpResult, tunnel_error
from oz_installer.remote.ssh.dev_tcp import connect_argv, connect_error
from oz_installer.remote.transport import CommandResult, ForwardingForbidden, Transport


class Viewpoint(Protocol):
    """A place that connections and commands start from.

    Methods raise ConnectError when it is lost."""

    @property
    def name(self) -> str:
        """Name of the node or pod, as findings show it."""
        ...

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """Open a TCP connection to host:port as this place sees it.

        Raises ForwardingForbidden when it allows no tunnels, OSError when nothing answers.
        """
        ...

    def tcp(self, host: str, port: int) -> TcpResult:
        """Open a TCP connection and close it; from the shell when tunnels are forbidden."""
        ...

    def tcp_from_shell(self, host: str, port: int) -> TcpResult:
        """Open a TCP connection from the shell and close it."""
        ...

    def shell(
        self, argv: Sequence[str], *, stdin: bytes | None = None, timeout: float = 120.0
    ) -> CommandResult:
        """Run one command without becoming root. ``timeout`` in seconds of silence."""
        ...


class NodeViewpoint:
    """The node itself, over its SSH connection."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def name(self) -> str:
        """Name of the node."""
        return self._transport.name

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """Open a TCP connection through sshd (direct-tcpip)."""
        return self._transport.tunnel(host, port, timeout=timeout)

    def tcp(self, host: str, port: int) -> TcpResult:
        """Open a TCP connection through sshd, or from the shell without tunnels, and close it."""
        try:
            self.tunnel(host, port, timeout=TCP_SECONDS).close()
        except ForwardingForbidden:
            return self.tcp_from_shell(host, port)
        except OSError as error:
            return TcpResult(open=False, message=tunnel_error(error))
        return TcpResult(open=True)

    def tcp_from_shell(self, host: str, port: int) -> TcpResult:
        """Open a TCP connection by bash's /dev/tcp and close it."""
        result = self.shell(connect_argv(host, port, seconds=TCP_SECONDS), timeout=2 * TCP_SECONDS)
        reason = connect_error(result.status, result.stderr_text, seconds=TCP_SECONDS)
        return TcpResult(open=result.ok, message=reason, tunnel=False)

    def shell(
        self, argv: Sequence[str], *, stdin: bytes | None = None, timeout: float = 120.0
    ) -> CommandResult:
        """Run one command as the login."""
        return self._transport.run(argv, stdin=stdin, become=False, timeout=timeout)
