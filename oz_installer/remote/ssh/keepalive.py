"""A paramiko Transport with keepalive, a write timeout and exit-signal support.

TCP alone does not notice a dead peer: a stopped sshd still acknowledges, and a vanished machine leaves a
socket that blocks. So the packetizer records when data arrived, a write that makes no progress fails, and
an idle connection sends keepalive requests.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any, ClassVar

from oz_installer.remote.ssh.paramiko_import import Packetizer, paramiko
from oz_installer.text import safe_line

KEEPALIVE_SECONDS = 10.0
DEAD_AFTER_SECONDS = 30.0
NO_CHANNEL = -1
_GLOBAL_REQUEST = 80
_WINDOW_ADJUST, _CHANNEL_CLOSE, _CHANNEL_REQUEST = 93, 97, 98
# What may be negotiated, the fastest first, whatever else this paramiko allows: no CBC, no MD5,
# no SHA-1, no group of 1024 bits.
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
_DIGESTS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
_KEY_EXCHANGES = (
    "mlkem768x25519-sha256",
    "curve25519-sha256@libssh.org",
    "curve25519-sha256",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)
_KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


def _known(wanted: tuple[str, ...], offered: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted algorithms that this paramiko has, in our order."""
    there = frozenset(offered)
    return tuple(name for name in wanted if name in there)


class TimedPacketizer(Packetizer):
    """A packetizer with a write timeout that records ``last_heard`` (monotonic seconds)."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self._sock = sock
        self.last_heard = time.monotonic()

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Read n bytes and record the time."""
        data = super().read_all(n, check_rekey)
        self.last_heard = time.monotonic()
        return data

    def write_all(self, out: bytes) -> None:  # type: ignore[override]
        """Write all. Raises EOFError when closed, or without progress for DEAD_AFTER_SECONDS."""
        begin = time.monotonic()
        while out:
            try:
                sent = self._sock.send(out)
            except (TimeoutError, BlockingIOError):
                if self.closed or time.monotonic() - begin > DEAD_AFTER_SECONDS:
                    raise EOFError from None
                continue
            except OSError:
                raise EOFError from None
            if sent == len(out):
                return
            if sent <= 0:
                raise EOFError
            out = out[sent:]
            begin = time.monotonic()


def _handle_request(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Handle channel requests like paramiko, and exit-signal (RFC 4254, 6.10) as 128 + number."""
    if message.get_text() == "exit-signal":
        message.get_boolean()
        name = message.get_text()
        number = getattr(signal.Signals, f"SIG{name}", signal.SIGKILL)
        channel.exit_status = 128 + int(number)
        channel.status_event.set()
        return
    message.rewind()
    message.get_byte()
    message.rewind()
    message.get_int()
    channel._handle_request(message)  # type: ignore[attr-defined]


class KeepaliveTransport(paramiko.Transport):
    """An SSH connection with fast algorithms first, keepalive and exit-signal support.

    ``asked_code``: the login asked the operator for a code, so that another one would ask again."""

    _channel_handler_table: ClassVar[dict[int, Any]] = {
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
        _CHANNEL_REQUEST: _handle_request,
    }

    def __init__(self, sock: Any) -> None:
        super().__init__(sock, packetizer_class=TimedPacketizer)
        self.idle_seconds: float | None = None
        self.asked_code = False
        self._refusals: dict[int, paramiko.ChannelException] = {}
        self._opening = threading.local()
        self._closed_channels: set[bytes] = set()
        options = self.get_security_options()
        options.ciphers = _known(_CIPHERS, options.ciphers)
        options.digests = _known(_DIGESTS, options.digests)
        options.kex = _known(_KEY_EXCHANGES, options.kex)
        options.key_types = _known(_KEY_TYPES, options.key_types)
        options.kex = tuple(sorted(options.kex, key=lambda name: not name.startswith("curve25519")))

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The types of host keys and host certificates to accept, the preferred one first."""
        return tuple(self.get_security_options().key_types)

    def _next_channel(self) -> int:
        number: int = super()._next_channel()  # type: ignore[misc]
        self._opening.number = number
        return number

    def _parse_channel_open_failure(self, message: paramiko.Message) -> None:
        number, code = message.get_int(), message.get_int()
        self._refusals[number] = paramiko.ChannelException(code, message.get_text())
        message.rewind()
        super()._parse_channel_open_failure(message)  # type: ignore[misc]

    def _parse_channel_open_success(self, message: paramiko.Message) -> None:
        message.get_int()
        self._closed_channels.discard(message.get_int().to_bytes(4, "big"))  # servers use numbers again
        message.rewind()
        super()._parse_channel_open_success(message)  # type: ignore[misc]

    def _send_message(self, data: paramiko.Message) -> None:
        """Send a message, but nothing of a channel behind its CLOSE.

        paramiko builds an EOF and sends it later; when the server closes the channel in between, its CLOSE
        goes out first. sshd then ends the whole connection: «ieof packet referred to nonexistent channel».
        """
        head = data.asbytes()[:5]
        if _WINDOW_ADJUST <= head[0] <= _CHANNEL_REQUEST:
            if head[1:] in self._closed_channels:
                return
            if head[0] == _CHANNEL_CLOSE:
                self._closed_channels.add(head[1:])
        super()._send_message(data)  # type: ignore[misc]

    def open_channel(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        """Open a channel; each thread gets its own refusal, of which paramiko keeps only one."""
        self._opening.number = NO_CHANNEL  # a lost connection fails before the channel has a number
        try:
            return super().open_channel(*args, **kwargs)
        except Exception as error:
            refusal = self._refusals.pop(self._opening.number, None)
            if refusal is not None:
                raise refusal from None
            if isinstance(error, (paramiko.SSHException, EOFError, OSError)):
                raise
            # what ended the connection's own thread, raised here again by paramiko
            raise paramiko.SSHException(f"{type(error).__name__}: {error}") from error

    def start_keepalive(self) -> None:
        """Send keepalive requests when idle; close the connection after DEAD_AFTER_SECONDS."""
        self.packetizer.set_keepalive(KEEPALIVE_SECONDS, self._send_keepalive)

    def _send_keepalive(self) -> None:
        silence = time.monotonic() - self.heard_at()
        if silence > DEAD_AFTER_SECONDS:
            self.idle_seconds = silence
            raise EOFError
        message = paramiko.Message()
        message.add_byte(bytes([_GLOBAL_REQUEST]))
        message.add_string("keepalive@openssh.com")
        message.add_boolean(True)
        self._send_user_message(message)  # type: ignore[attr-defined]

    def heard_at(self) -> float:
        """Return the time of the last packet (monotonic seconds)."""
        packetizer = self.packetizer
        return packetizer.last_heard if isinstance(packetizer, TimedPacketizer) else time.monotonic()

    def why_ended(self) -> str:
        """Return the fault that ended the connection on this side; empty when the server closed it."""
        fault: Exception | None = self.saved_exception
        if fault is None or isinstance(fault, (EOFError, OSError)):
            return ""
        return safe_line(f"{type(fault).__name__}: {fault}")

    def abort(self) -> None:
        """Close the connection immediately, even when a write is stuck."""
        self.packetizer.close()
        self.close()


def send_exec(channel: paramiko.Channel, command: str) -> None:
    """Request a command without waiting for the reply: a refusal shows as a closed channel."""
    message = paramiko.Message()
    message.add_byte(bytes([_CHANNEL_REQUEST]))
    message.add_int(channel.remote_chanid)
    message.add_string("exec")
    message.add_boolean(True)
    message.add_string(command)
    channel.get_transport()._send_user_message(message)  # type: ignore[attr-defined]


def set_tcp_options(sock: socket.socket) -> None:
    """Set TCP_NODELAY (an exec takes 8 ms, not 51) and the kernel's detection of a lost peer."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(DEAD_AFTER_SECONDS * 1000))
