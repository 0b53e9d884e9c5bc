"""The SSH agent (draft-ietf-sshm-ssh-agent): its keys, and signatures by them."""

from __future__ import annotations

import socket
import struct

from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.login.key_files import AgentFailure

_LIST, _LISTED = 11, 12
_SIGN, _SIGNED = 13, 14
_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}
CONNECT_SECONDS = 5.0
SIGN_SECONDS = 60.0
"""A key may want to be confirmed or touched."""
MOST_BYTES = 256 << 10


@dataclass(frozen=True, kw_only=True)
class AgentIdentity:
    """A key or certificate in the agent."""

    blob: bytes
    comment: str


class SshAgent:
    """An agent at a socket; each request is a connection of its own, so threads may share it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def identities(self) -> tuple[AgentIdentity, ...]:
        """Return the keys in the agent's order; none when there is no agent."""
        try:
            reply = _Reader(self._request(bytes([_LIST]), _LISTED, CONNECT_SECONDS))
            count = reply.number()
            return tuple(
                AgentIdentity(blob=reply.string(), comment=reply.string().decode("utf-8", "replace"))
                for _ in range(min(count, 1000))
            )
        except AgentFailure:
            return ()

    def sign(self, blob: bytes, data: bytes, algorithm: str) -> bytes:
        """Return the signature by a key. Raises AgentFailure."""
        flags = struct.pack(">I", _FLAGS.get(algorithm, 0))
        reply = self._request(bytes([_SIGN]) + _packed(blob) + _packed(data) + flags, _SIGNED, SIGN_SECONDS)
        return _Reader(reply).string()

    def _request(self, body: bytes, wanted: int, timeout: float) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(CONNECT_SECONDS)
                connection.connect(self._path)
                connection.sendall(_packed(body))
                connection.settimeout(timeout)
                size = struct.unpack(">I", _read(connection, 4))[0]
                if not 0 < size <= MOST_BYTES:
                    raise AgentFailure("invalid reply")
                reply = _read(connection, size)
        except (OSError, ValueError) as error:
            raise AgentFailure(str(error)) from None
        if reply[0] != wanted:
            raise AgentFailure("the agent refused")
        return reply[1:]


def _packed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise AgentFailure("cut off")
        data += piece
    return data


class _Reader:
    """Reads numbers and strings of a reply. Raises AgentFailure for one that is cut off."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def string(self) -> bytes:
        return self._take(self.number())

    def _take(self, size: int) -> bytes:
        if size > len(self._data):
            raise AgentFailure("cut off")
        taken, self._data = self._data[:size], self._data[size:]
        return taken
