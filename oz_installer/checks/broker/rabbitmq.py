"""Login to RabbitMQ by the AMQP 0-9-1 handshake, up to an open virtual host."""

from __future__ import annotations

import contextlib
import socket
import struct

from oz_installer.checks.broker.session import BrokerLogin, BrokerServer, Stream
from oz_installer.secret import Secret
from oz_installer.text import safe_line

LONGEST = 1 << 17
"""Most bytes of a handshake frame; before negotiation the protocol itself allows only 4096."""

_METHOD, _END = 1, 0xCE
_START, _START_OK, _TUNE, _TUNE_OK = (10, 10), (10, 11), (10, 30), (10, 31)
_OPEN, _OPEN_OK, _CLOSE, _CLOSE_OK = (10, 40), (10, 41), (10, 50), (10, 51)
_SIZES = {b"t": 1, b"b": 1, b"B": 1, b"s": 2, b"u": 2, b"I": 4, b"i": 4, b"f": 4, b"l": 8, b"L": 8, b"d": 8}
_SIZES |= {b"T": 8, b"D": 5, b"V": 0}


class ConnectionClosed(Exception):
    """The server closed the connection with a code and a text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def log_in(sock: socket.socket, user: str, password: Secret, vhost: str = "/") -> BrokerLogin:
    """Log in and open the virtual host. Raises OSError."""
    version = ""
    with sock.makefile("rwb") as stream:
        try:
            stream.write(b"AMQP\x00\x00\x09\x01")
            stream.flush()
            version = _version(_read_method(stream, _START))
            _send_login(stream, user, password)
            tune = _read_method(stream, _TUNE)
        except ConnectionClosed as closed:
            return BrokerLogin(outcome="refused", message=safe_line(closed))
        except EOFError:  # a server without authentication_failure_close refuses by closing the connection
            if not version:
                return BrokerLogin(outcome="stranger", message="it closes the connection")
            return BrokerLogin(outcome="refused", message="it closes the connection after the login")
        except (ValueError, struct.error, IndexError) as error:
            return BrokerLogin(outcome="stranger", message=safe_line(error))
        try:
            channels, frame, _ = struct.unpack("!HIH", tune[:8])
            _send_method(stream, _TUNE_OK, struct.pack("!HIH", channels, frame, 0))
            _send_method(stream, _OPEN, _short(vhost.encode()) + b"\x00\x00")
            _read_method(stream, _OPEN_OK)
        except (ConnectionClosed, EOFError, ValueError, struct.error) as error:
            return BrokerLogin(
                outcome="vhost",
                message=safe_line(error) or "it closes the connection",
                server=BrokerServer(version=version),
            )
        with contextlib.suppress(ConnectionClosed, EOFError, ValueError, OSError):
            _send_method(stream, _CLOSE, struct.pack("!H", 200) + _short(b"bye") + struct.pack("!HH", 0, 0))
            _read_method(stream, _CLOSE_OK)
    return BrokerLogin(outcome="in", server=BrokerServer(version=version))


def _send_login(stream: Stream, user: str, password: Secret) -> None:
    wish = _short(b"authentication_failure_close") + b"t\x01"  # asks for a refusal with a message
    capabilities = _short(b"capabilities") + b"F" + _long(wish)
    properties = _short(b"product") + b"S" + _long(b"oz-install") + capabilities
    response = f"\0{user}\0{password.reveal()}".encode()
    _send_method(stream, _START_OK, _long(properties) + _short(b"PLAIN") + _long(response) + _short(b"en_US"))


def _send_method(stream: Stream, method: tuple[int, int], arguments: bytes) -> None:
    payload = struct.pack("!HH", *method) + arguments
    stream.write(struct.pack("!BHI", _METHOD, 0, len(payload)) + payload + bytes((_END,)))
    stream.flush()


def _read_method(stream: Stream, wanted: tuple[int, int]) -> bytes:
    """Read the arguments of the expected method. Raises ConnectionClosed, EOFError, ValueError."""
    while True:
        kind, _, size = struct.unpack("!BHI", _exactly(stream, 7))
        if size > LONGEST or kind not in (_METHOD, 8):
            raise ValueError("its answer is not AMQP 0-9-1")
        payload = _exactly(stream, size)
        if _exactly(stream, 1) != bytes((_END,)):
            raise ValueError("its answer is not AMQP 0-9-1")
        if kind == _METHOD:  # others are heartbeats
            break
    method = struct.unpack("!HH", payload[:4])
    if method == _CLOSE:
        (code,) = struct.unpack("!H", payload[4:6])
        raise ConnectionClosed(code, payload[7 : 7 + payload[6]].decode("utf-8", "replace"))
    if method != wanted:
        raise ValueError(f"it sends {method[0]}.{method[1]} instead of {wanted[0]}.{wanted[1]}")
    return payload[4:]


def _exactly(stream: Stream, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _version(start: bytes) -> str:
    """Read the version from the server's properties; empty when it is not among them."""
    (size,) = struct.unpack("!I", start[2:6])
    table, at = start[6 : 6 + size], 0
    while at < len(table):
        name, at = table[at + 1 : at + 1 + table[at]], at + 1 + table[at]
        kind, at = table[at : at + 1], at + 1
        width = _SIZES.get(kind, 0)
        if kind in (b"S", b"F", b"A", b"x"):
            (width,) = struct.unpack("!I", table[at : at + 4])
            at += 4
        elif kind not in _SIZES:
            return ""
        if name == b"version" and kind == b"S":
            return safe_line(table[at : at + width].decode("utf-8", "replace"))
        at += width
    return ""


def _short(data: bytes) -> bytes:
    return bytes((len(data),)) + data


def _long(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data
