"""What can be done with a node, whatever carries it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Protocol

from oz_installer.errors import ConnectError, OzError
from oz_installer.frozen import dataclass

TIMED_OUT = (124, 143)
"""Exit statuses of ``timeout`` when the time is up: that of coreutils, that of busybox."""


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """How a command ended. ``status`` is the exit status; a signal is 128 + its number."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def ok(self) -> bool:
        """Exit status 0."""
        return self.status == 0

    @property
    def text(self) -> str:
        """stdout as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def stderr_text(self) -> str:
        """stderr as text, stripped."""
        return self.stderr.decode("utf-8", "replace").strip()


class CommandFailed(OzError):
    """A command that had to succeed did not; carries its result."""

    def __init__(self, node: str, result: CommandResult) -> None:
        said = result.stderr_text or result.text.strip()
        last = " ".join(said.splitlines()[-3:])[:600]
        super().__init__(f"{result.argv[0]} ended with status {result.status}: {last}", node=node)
        self.result = result


class ForwardingForbidden(ConnectError):
    """The node's sshd opens no tunnels; what goes through one must be asked on the node itself."""

    def __init__(self, node: str) -> None:
        super().__init__(
            "sshd forbids tunnels (AllowTcpForwarding no)",
            "Allow them with `AllowTcpForwarding local`, or do without checks through the node.",
            node=node,
        )


class TunnelRefused(ConnectionRefusedError):
    """Nothing takes the connection at the tunnel's end; ``reason`` is sshd's word alone."""

    def __init__(self, place: str, node: str, reason: str) -> None:
        super().__init__(f"{place} cannot be reached from {node}: {reason}")
        self.reason = reason


class TunnelTimeout(TimeoutError):
    """Nothing answers at the tunnel's end; ``reason`` says so without where."""

    def __init__(self, place: str, node: str, seconds: float) -> None:
        super().__init__(f"{place} did not answer {node} within {seconds:g} s")
        self.reason = f"no answer within {seconds:g} s"


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file to write: path relative to the upload's folder, bytes, permission bits."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644


# what one channel packet of 32,768 bytes holds; larger writes are cut unevenly and are slower (measured)
BLOCK = 32_704

ByteProgress = Callable[[int], None]


class CommandRunner(Protocol):
    """Runs commands in one place, over one connection. Methods may be called from several threads.

    ``become`` runs the command as root through sudo where the login is not root; where it is root,
    or the node's answers say ``become: none``, it changes nothing. Raises ConnectError when the
    connection is gone, CommandFailed with ``check``.
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
        """Run one command and wait. ``timeout`` (seconds) is of silence: no byte either way.

        ``on_output`` sees stdout and stderr as they come; ``on_sent`` the bytes of stdin sent so far.
        """
        ...

    def stream(self, argv: Sequence[str], *, become: bool = True, timeout: float = 30.0) -> socket.socket:
        """A command whose stdin and stdout are a socket; closing it ends the command."""
        ...

    def close(self) -> None:
        """End the connection; may be called twice."""
        ...


class Tunnel(Protocol):
    """Opens TCP connections as a node sees them."""

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """A TCP connection to host:port as the node sees it (direct-tcpip)."""
        ...

    def forwarding_allowed(self) -> bool:
        """Whether the node lets us open tunnels."""
        ...


class Transport(CommandRunner, Tunnel, Protocol):
    """One node over one SSH connection, or this machine."""

    @property
    def host_key_fingerprint(self) -> str:
        """Fingerprint of the key that the node showed; empty where there is none."""
        ...
