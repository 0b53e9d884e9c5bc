"""Whether an NFS server answers: the NULL call of its protocol (RFC 5531), which asks for no right."""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from typing import Literal

from oz_installer.checks.network.tcp import TCP_SECONDS, try_tcp_from_shell, tunnel_error
from oz_installer.remote.transport import ForwardingForbidden, Transport
from oz_installer.text import safe_line

PORT = 2049
_PROGRAM = 100003
_CALL_ID = 0x6F7A6F7A
_LARGEST = 4096


@dataclass(frozen=True, kw_only=True)
class NfsAnswer:
    """``unknown``: the port is open, and sshd lets us ask no more. ``versions``: lowest and highest."""

    ended: Literal["ok", "unknown", "unreachable", "stranger", "version"]
    said: str = ""
    versions: tuple[int, int] = (0, 0)

    @property
    def speaks_nfs(self) -> bool:
        """Whether a mount may be tried. From what does not speak NFS it would hang."""
        return self.ended in ("ok", "unknown")


def version_of(options: str) -> int:
    """Major version that mount options ask for; 4 is the kernel's own first choice."""
    found = re.search(r"(?:^|,)(?:nfs)?v(?:ers)?=?([234])", options)
    return int(found[1]) if found else 4


def port_of(options: str) -> int:
    """Port that mount options ask for."""
    found = re.search(r"(?:^|,)port=([0-9]{1,5})(?:,|$)", options)
    return int(found[1]) if found and 0 < int(found[1]) < 65536 else PORT


def nfs_null_call(transport: Transport, host: str, port: int, version: int) -> NfsAnswer:
    """Call NULL through a tunnel, or knock from the shell. Raises ConnectError when the node is gone."""
    try:
        sock = transport.tunnel(host, port, timeout=TCP_SECONDS)
    except ForwardingForbidden:
        knock = try_tcp_from_shell(transport, host, port)
        return NfsAnswer(ended="unknown" if knock.open else "unreachable", said=knock.said)
    except OSError as error:
        return NfsAnswer(ended="unreachable", said=tunnel_error(error))
    try:
        sock.settimeout(TCP_SECONDS)
        return _called(sock, version)
    except (OSError, struct.error) as error:
        return NfsAnswer(ended="stranger", said=safe_line(error) or type(error).__name__)
    finally:
        sock.close()


def _called(sock: socket.socket, version: int) -> NfsAnswer:
    call = struct.pack("!10I", _CALL_ID, 0, 2, _PROGRAM, version, 0, 0, 0, 0, 0)
    sock.sendall(struct.pack("!I", 0x8000_0000 | len(call)) + call)
    with sock.makefile("rb") as stream:
        (size,) = struct.unpack("!I", stream.read(4))
        reply = stream.read(min(size & 0x7FFF_FFFF, _LARGEST))
    identity, kind, denied = struct.unpack("!III", reply[:12])
    if identity != _CALL_ID or kind != 1:
        return NfsAnswer(ended="stranger", said="its answer is no RPC")
    if denied:  # a server that wants Kerberos; mounting says more
        return NfsAnswer(ended="ok")
    (length,) = struct.unpack("!I", reply[16:20])
    rest = reply[20 + (length + 3) // 4 * 4 :]
    (status,) = struct.unpack("!I", rest[:4])
    if status == 2:
        low, high = struct.unpack("!II", rest[4:12])
        return NfsAnswer(ended="version", versions=(low, high))
    if status:
        return NfsAnswer(ended="stranger", said=f"RPC, but no NFS (accept_stat {status})")
    return NfsAnswer(ended="ok")
