"""paramiko's connection, made to notice death, and told of signals.

TCP alone does not: a stopped sshd still acknowledges, and a vanished machine leaves a socket that
blocks. So the packets carry a clock of what was heard, writing gives up when the socket takes
nothing, and an idle connection asks for a sign of life.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from typing import Any, ClassVar

from oz_installer.remote.ssh.paramiko_import import Packetizer, paramiko

KEEPALIVE_SECONDS = 10.0
DEAD_AFTER_SECONDS = 30.0
_GLOBAL_REQUEST = 80
_CHANNEL_REQUEST = 98
_FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")


class TimedPacketizer(Packetizer):
    """Packets with a clock: ``last_heard`` (monotonic seconds), and a limit to a write that gets nowhere."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self._sock = sock
        self.last_heard = time.monotonic()

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Read n bytes, noting the time."""
        data = super().read_all(n, check_rekey)
        self.last_heard = time.monotonic()
        return data

    def write_all(self, out: bytes) -> None:  # type: ignore[override]
        """Write all. Raises EOFError when closed, or when nothing was taken for DEAD_AFTER_SECONDS."""
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
    """Channel requests as paramiko handles them, and exit-signal (RFC 4254, 6.10) as 128 + number."""
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
    """One SSH connection with the fast algorithms first, keep-alives, and exit signals."""

    _channel_handler_table: ClassVar[dict[int, Any]] = {
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
        _CHANNEL_REQUEST: _handle_request,
    }

    def __init__(self, sock: Any) -> None:
        super().__init__(sock, packetizer_class=TimedPacketizer)
        self.idle_seconds: float | None = None
        self._refusals: dict[int, paramiko.ChannelException] = {}
        self._opening = threading.local()
        options = self.get_security_options()
        options.ciphers = (*_FAST_CIPHERS, *(name for name in options.ciphers if "gcm" not in name))
        options.kex = tuple(sorted(options.kex, key=lambda name: not name.startswith("curve25519")))

    def _next_channel(self) -> int:
        number: int = super()._next_channel()  # type: ignore[misc]
        self._opening.number = number
        return number

    def _parse_channel_open_failure(self, message: paramiko.Message) -> None:
        number, code = message.get_int(), message.get_int()
        self._refusals[number] = paramiko.ChannelException(code, message.get_text())
        message.rewind()
        super()._parse_channel_open_failure(message)  # type: ignore[misc]

    def open_channel(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        """As paramiko's, but each thread gets the refusal of its own channel: paramiko keeps only one."""
        try:
            return super().open_channel(*args, **kwargs)
        except (paramiko.SSHException, EOFError, OSError):
            refusal = self._refusals.pop(self._opening.number, None)
            if refusal is None:
                raise
        raise refusal

    def start_keepalive(self) -> None:
        """Ask for a sign of life when idle; end the connection when none comes in DEAD_AFTER_SECONDS."""
        self.packetizer.set_keepalive(KEEPALIVE_SECONDS, self._ask_for_life)

    def _ask_for_life(self) -> None:
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
        """When the last packet came (monotonic seconds)."""
        packetizer = self.packetizer
        return packetizer.last_heard if isinstance(packetizer, TimedPacketizer) else time.monotonic()

    def abort(self) -> None:
        """End the connection at once, even when a write is stuck."""
        self.packetizer.close()
        self.close()


def send_exec(channel: paramiko.Channel, command: str) -> None:
    """Ask for the command without waiting for the server's yes: a refusal shows as a closed channel."""
    message = paramiko.Message()
    message.add_byte(bytes([_CHANNEL_REQUEST]))
    message.add_int(channel.remote_chanid)
    message.add_string("exec")
    message.add_boolean(True)
    message.add_string(command)
    channel.get_transport()._send_user_message(message)  # type: ignore[attr-defined]


def set_tcp_options(sock: socket.socket) -> None:
    """TCP_NODELAY (an exec costs 8 ms rather than 51), and the kernel's own detection of a lost peer."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(DEAD_AFTER_SECONDS * 1000))
