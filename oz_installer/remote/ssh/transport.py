"""A node over SSH: one connection, one channel per command."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from oz_installer.errors import ConnectError
from oz_installer.remote import limits
from oz_installer.remote.ssh.command_start import CommandStarter
from oz_installer.remote.ssh.connection_errors import connection_errors, lost
from oz_installer.remote.ssh.dial import Hop, dial
from oz_installer.remote.ssh.jump_chain import jump_chain
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.known_hosts import fingerprint
from oz_installer.remote.ssh.login.questions import ask_one
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.remote.ssh.session_limit import SessionLimiter
from oz_installer.remote.ssh.socket_bridge import socket_for_channel
from oz_installer.remote.ssh.target import (
    AcceptHostKey,
    AskCode,
    AskSecret,
    HostKeyQuestion,
    SecretCache,
    SshTarget,
)
from oz_installer.remote.transport import (
    ByteProgress,
    CommandFailed,
    CommandResult,
    ForwardingForbidden,
    TunnelRefused,
    TunnelTimeout,
)
from oz_installer.secret import Secret

__all__ = ["HostKeyQuestion", "SshTarget", "SshTransport", "connect"]

STEP_SECONDS = 15.0
"""Default time limit of each step of connecting."""

_PROHIBITED = 1
# A port without a listener: a refused connection proves that forwarding is allowed.
_PROBE_PORT = 1


def connect(
    target: SshTarget,
    *,
    on_unknown_key: AcceptHostKey | None = None,
    ask_secret: AskSecret | None = None,
    ask_code: AskCode | None = None,
    timeout: float = STEP_SECONDS,
) -> SshTransport:
    """Connect and log in to a node, through its jump hosts if it has any.

    ``timeout`` is for each step, in seconds. ``on_unknown_key`` decides on unknown host keys, ``ask_secret``
    returns missing passphrases and passwords, ``ask_code`` codes of a second factor. Raises ConnectError.
    """
    secrets = SecretCache(ask_secret)
    ask = None if ask_secret is None else secrets
    chain: list[KeepaliveTransport] = []
    try:
        for hop, route in jump_chain(target, ask, None if ask_code is None else partial(ask_one, ask_code)):
            chain.append(_dial(hop, route, chain, on_unknown_key, timeout))
    except BaseException as error:
        _close(chain)
        if isinstance(error, ConnectError) and error.node is None:
            error.node = target.name
        raise
    return SshTransport(target, chain, ask, secrets.answers)


def _dial(
    hop: Hop,
    route: tuple[str, ...],
    chain: Sequence[KeepaliveTransport],
    on_unknown_key: AcceptHostKey | None,
    timeout: float,
) -> KeepaliveTransport:
    """Connect to a hop. Nodes share the connection to a jump host that asks for a code."""
    via = chain[-1] if chain else None
    ask_code = hop.credentials.ask_code
    if not hop.jump or ask_code is None:
        return dial(hop, via, on_unknown_key, timeout)
    from oz_installer.remote.ssh.login.shared_links import SharedInstead, share, take, turn

    while True:
        if (shared := take(route)) is not None:
            return shared
        with turn(route, ask_code) as ask_in_turn, contextlib.suppress(SharedInstead):
            asking = replace(hop, credentials=replace(hop.credentials, ask_code=ask_in_turn))
            link = dial(asking, via, on_unknown_key, timeout)
            if link.asked_code:
                share(route, link, chain)
            return link


def _close(chain: Sequence[KeepaliveTransport]) -> None:
    """Close the connections of a chain, the last one first, but not those that other nodes use."""
    if len(chain) == 1:
        chain[0].close()
        return
    from oz_installer.remote.ssh.login.shared_links import release

    for link in reversed(chain):
        for unused in release(link):
            unused.close()


class SshTransport:
    """A node over one SSH connection; see ``Transport`` for the contract of its methods."""

    def __init__(
        self,
        target: SshTarget,
        chain: Sequence[KeepaliveTransport],
        ask_secret: AskSecret | None = None,
        answers: Mapping[str, Secret] | None = None,
    ) -> None:
        self.name = target.name
        self.target = target
        self.user = chain[-1].get_username() or ""
        self._chain = self._open = tuple(chain)
        self._closing = threading.Lock()
        self._link = chain[-1]
        self._limiter = SessionLimiter(self._link, self.name)
        self.answers = {} if answers is None else answers
        self._starter = CommandStarter(target, self.user, self._link, self._limiter, ask_secret)
        self._forwarding: bool | None = None

    @property
    def host_key_fingerprint(self) -> str:
        """The fingerprint of the node's host key."""
        return fingerprint(self._link.get_remote_server_key().asbytes())

    @property
    def asked_code(self) -> bool:
        """Whether the login asked the operator for a code, so that another one would ask again."""
        return any(link.asked_code for link in self._chain)

    def reconnect_target(self) -> SshTarget:
        """Return the target for another connection to this node, with the accepted host keys."""
        jump = (
            fingerprint(self._chain[0].get_remote_server_key().asbytes()) if len(self._chain) == 2 else None
        )
        return replace(
            self.target,
            host_key=self.host_key_fingerprint,
            jump_host_key=self.target.jump_host_key or jump,
            become_password=self._starter.password,
        )

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
        """Run a command and wait; ``timeout`` is the longest silence in seconds.

        ``on_output`` gets stdout and stderr as they arrive. Raises ConnectError; CommandFailed with
        ``check``."""
        exchange = self._starter.start(
            argv,
            become=become,
            stdin=stdin is not None,
            timeout=timeout,
            on_output=on_output,
            on_sent=on_sent,
        )
        try:
            with connection_errors(self._link, self.name, timeout):
                status = exchange.run(stdin)
        finally:
            self._limiter.release(exchange.channel)
        if status is None:
            raise lost(self._link, self.name, None)
        result = CommandResult(
            argv=tuple(argv), status=status, stdout=bytes(exchange.stdout), stderr=bytes(exchange.stderr)
        )
        if check and not result.ok:
            raise CommandFailed(self.name, result)
        return result

    def stream(self, argv: Sequence[str], *, become: bool = True, timeout: float = 30.0) -> socket.socket:
        """Run a command whose stdin and stdout are a socket; closing the socket ends the command.

        stderr is dropped. It holds a session of the connection while it is open. Raises ConnectError.
        """
        exchange = self._starter.start(argv, become=become, stdin=True, timeout=timeout)
        channel, first = exchange.channel, bytes(exchange.stdout)
        most = limits.MOST_OF_STREAM
        return socket_for_channel(channel, lambda: self._limiter.release(channel), first, most=most)

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """Open a TCP connection to host:port as the node sees it. ``timeout`` in seconds.

        Raises ForwardingForbidden when sshd forbids tunnels, ConnectionError when host:port refuses,
        TimeoutError, and ConnectError when the connection to the node is lost.
        """
        try:
            channel = self._link.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout)
        except paramiko.ChannelException as error:
            if error.code == _PROHIBITED:
                self._forwarding = False
                raise ForwardingForbidden(self.name) from None
            self._forwarding = True
            raise TunnelRefused(f"{host}:{port}", self.name, error.text) from None
        except paramiko.SSHException as error:
            if self._link.is_active() and "Timeout" in str(error):
                raise TunnelTimeout(f"{host}:{port}", self.name, timeout) from None
            raise lost(self._link, self.name, error) from None
        except (EOFError, OSError) as error:
            raise lost(self._link, self.name, error) from None
        self._forwarding = True
        most, seconds = limits.MOST_OF_TUNNEL, limits.TUNNEL_SECONDS
        return socket_for_channel(channel, channel.close, most=most, seconds=seconds)

    def forwarding_allowed(self) -> bool:
        """Return whether sshd allows tunnels; tried once."""
        if self._forwarding is None:
            with contextlib.suppress(ForwardingForbidden, OSError):
                self.tunnel("127.0.0.1", _PROBE_PORT).close()
        return bool(self._forwarding)

    def close(self) -> None:
        """Close the connection and those to its jump hosts; may be called twice."""
        with self._closing:
            chain, self._open = self._open, ()
        _close(chain)
