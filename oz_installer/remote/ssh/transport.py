"""A node over SSH: one connection, one channel per command."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh import sudo
from oz_installer.remote.ssh.dial import dial
from oz_installer.remote.ssh.exec_channel import ExecChannel, IdleTimeout
from oz_installer.remote.ssh.jump_chain import jump_chain
from oz_installer.remote.ssh.keepalive import KeepaliveTransport, send_exec
from oz_installer.remote.ssh.known_hosts import fingerprint
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.remote.ssh.session_limit import SessionLimiter
from oz_installer.remote.ssh.socket_bridge import socket_for_channel
from oz_installer.remote.ssh.target import (
    AcceptHostKey,
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

ENDING_SECONDS = 1.0
_PROHIBITED = 1
# A port without a listener: a refused connection proves that forwarding is allowed.
_PROBE_PORT = 1


@dataclass
class _Outcome:
    status: int
    stdout: bytes
    stderr: bytes


def connect(
    target: SshTarget,
    *,
    on_unknown_key: AcceptHostKey | None = None,
    ask_secret: AskSecret | None = None,
    timeout: float = STEP_SECONDS,
) -> SshTransport:
    """Connect and log in to a node, through its jump hosts if it has any.

    ``timeout`` is for each step, in seconds. ``on_unknown_key`` decides on unknown host keys, ``ask_secret``
    returns missing passphrases and passwords. Raises ConnectError.
    """
    chain: list[KeepaliveTransport] = []
    secrets = SecretCache(ask_secret)
    ask = None if ask_secret is None else secrets
    try:
        for hop in jump_chain(target, ask):
            chain.append(dial(hop, chain[-1] if chain else None, on_unknown_key, timeout))
    except BaseException as error:
        for transport in reversed(chain):
            transport.close()
        if isinstance(error, ConnectError) and error.node is None:
            error.node = target.name
        raise
    return SshTransport(target, chain, ask, secrets.answers)


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
        self._chain = tuple(chain)
        self._link = chain[-1]
        self._limiter = SessionLimiter(self._link, self.name)
        self._ask_secret = ask_secret
        self.answers = {} if answers is None else answers
        self._become_password = target.become_password
        is_root = target.become == "none" or self.user == "root"
        self._escalation = sudo.Escalation.NONE if is_root else sudo.Escalation.UNKNOWN
        self._learning = threading.Lock()
        self._forwarding: bool | None = None

    @property
    def host_key_fingerprint(self) -> str:
        """The fingerprint of the node's host key."""
        return fingerprint(self._link.get_remote_server_key().asbytes())

    def reconnect_target(self) -> SshTarget:
        """Return the target for another connection to this node, with the accepted host keys."""
        jump = (
            fingerprint(self._chain[0].get_remote_server_key().asbytes()) if len(self._chain) == 2 else None
        )
        return replace(
            self.target,
            host_key=self.host_key_fingerprint,
            jump_host_key=self.target.jump_host_key or jump,
            become_password=self._become_password,
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
        outcome: _Outcome | None = None
        if become and self._escalation is sudo.Escalation.UNKNOWN:
            replayable = (stdin is None or isinstance(stdin, bytes)) and on_output is None
            outcome = self._run_first(argv if replayable else None, stdin, timeout, on_sent)
        if outcome is None:
            escalation = self._escalation if become else sudo.Escalation.NONE
            command, lead = sudo.wrap(argv, escalation, self._password())
            outcome = self._exchange(command, stdin, lead, timeout, on_output, on_sent)
        result = CommandResult(
            argv=tuple(argv), status=outcome.status, stdout=outcome.stdout, stderr=outcome.stderr
        )
        if check and not result.ok:
            raise CommandFailed(self.name, result)
        return result

    def _password(self) -> str:
        return self._become_password.reveal() if self._become_password else ""

    def _run_first(
        self,
        argv: Sequence[str] | None,
        stdin: bytes | Iterable[bytes] | None,
        timeout: float,
        on_sent: ByteProgress | None,
    ) -> _Outcome | None:
        """Find out how to become root, by the command itself if it can be repeated.

        Returns its outcome, or None when the command must still be run."""
        with self._learning:
            if self._escalation is not sudo.Escalation.UNKNOWN:
                return None
            outcome = self._find_escalation(argv, stdin, timeout, on_sent)
            return outcome if argv is not None else None

    def _find_escalation(
        self,
        argv: Sequence[str] | None,
        stdin: bytes | Iterable[bytes] | None,
        timeout: float,
        on_sent: ByteProgress | None,
    ) -> _Outcome:
        while True:
            command, lead = sudo.wrap(argv or ("true",), sudo.Escalation.UNKNOWN, self._password())
            body = stdin if argv is not None else None
            outcome = self._exchange(command, body, lead, timeout, None, on_sent)
            marker, outcome.stderr = sudo.split_marker(outcome.stderr)
            given = self._become_password is not None
            try:
                self._escalation = sudo.parse_escalation(
                    marker, outcome.stderr, node=self.name, user=self.user, gave_password=given
                )
                return outcome
            except ConnectError:
                if given or self._ask_secret is None:
                    raise
            self._become_password = self._ask_secret(f"Password of {self.user} for sudo on {self.name}")

    def _exchange(
        self,
        command: str,
        stdin: bytes | Iterable[bytes] | None,
        lead: bytes,
        timeout: float,
        on_output: Callable[[bytes], None] | None,
        on_sent: ByteProgress | None,
    ) -> _Outcome:
        """Run one command line over its own channel."""
        try:
            with self._limiter.session(timeout) as channel:
                exchange = ExecChannel(channel, self._link, timeout, on_output, on_sent)
                send_exec(channel, command)
                status = exchange.run(stdin, lead)
        except IdleTimeout as silence:
            raise ConnectError(
                f"no data for {silence.seconds:g} s, so the command was aborted",
                "Check that the node is up and the network works, then run again to resume.",
                node=self.name,
            ) from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._lost(error, timeout) from None
        if status is None:
            self._link.join(ENDING_SECONDS)  # the channels of a lost connection end a moment before it
            raise self._lost(None)
        return _Outcome(status, bytes(exchange.stdout), bytes(exchange.stderr))

    def _lost(self, error: Exception | None, timeout: float = 0.0) -> ConnectError:
        hint = "Run again to resume."
        if self._link.idle_seconds is not None:
            message = f"connection lost: no data for {self._link.idle_seconds:.0f} s"
        elif not self._link.is_active():
            message = "connection lost: the server closed it"
        elif "Timeout opening channel" in str(error):
            message = f"no data for {timeout:g} s: the server does not open a session"
        elif error is not None:
            message = f"connection error: {error or type(error).__name__}"
        else:
            message = "the server ended the command without a status"
            hint = "Check that sshd_config sets no ForceCommand and that the login shell is not /bin/false."
        return ConnectError(message, hint, node=self.name)

    def stream(self, argv: Sequence[str], *, become: bool = True, timeout: float = 30.0) -> socket.socket:
        """Run a command whose stdin and stdout are a socket; closing the socket ends the command.

        stderr is dropped. It holds a session of the connection while it is open. Raises ConnectError.
        """
        if become and self._escalation is sudo.Escalation.UNKNOWN:
            self._run_first(None, None, timeout, None)
        escalation = self._escalation if become else sudo.Escalation.NONE
        command, lead = sudo.wrap(argv, escalation, self._password())
        try:
            channel = self._limiter.acquire(timeout)
            send_exec(channel, command)
            if lead:
                channel.sendall(lead)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._lost(error, timeout) from None
        return socket_for_channel(channel, lambda: self._limiter.release(channel))

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
            raise self._lost(error) from None
        except (EOFError, OSError) as error:
            raise self._lost(error) from None
        self._forwarding = True
        return socket_for_channel(channel, channel.close)

    def forwarding_allowed(self) -> bool:
        """Return whether sshd allows tunnels; tried once."""
        if self._forwarding is None:
            with contextlib.suppress(ForwardingForbidden, OSError):
                self.tunnel("127.0.0.1", _PROBE_PORT).close()
        return bool(self._forwarding)

    def close(self) -> None:
        """Close the connection and those to its jump hosts; may be called twice."""
        for transport in reversed(self._chain):
            transport.close()
