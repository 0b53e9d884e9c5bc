"""The NULL call of NFS (RFC 5531): it shows whether a server answers, and needs no rights."""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from typing import Literal

from oz_installer.checks.network.tcp import TCP_SECONDS, tunnel_error
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.remote.transport import ForwardingForbidden
from oz_installer.text import safe_line

PORT = 2049
_PROGRAM = 100003
_CALL_ID = 0x6F7A6F7A
_LARGEST = 4096


@dataclass(frozen=True, kw_only=True)
class NfsAnswer:
    """The answer of an NFS server. ``versions``: the lowest and the highest that it supports.

    ``unknown``: the port is open, but sshd forbids tunnels, so nothing more was tried."""

    outcome: Literal["ok", "unknown", "unreachable", "stranger", "version"]
    message: str = ""
    versions: tuple[int, int] = (0, 0)

    @property
    def speaks_nfs(self) -> bool:
        """Whether a mount may be tried: from a server that does not speak NFS it would hang."""
        return self.outcome in ("ok", "unknown")


def version_of(options: str) -> int:
    """Return the major version in mount options; without one, the kernel's own first choice, 4."""
    found = re.search(r"(?:^|,)(?:nfs)?v(?:ers)?=?([234])", options)
    return int(found[1]) if found else 4


def port_of(options: str) -> int:
    """Return the port in mount options, or the usual one."""
    found = re.search(r"(?:^|,)port=([0-9]{1,5})(?:,|$)", options)
    return int(found[1]) if found and 0 < int(found[1]) < 65536 else PORT


def nfs_null_call(viewpoint: Viewpoint, host: str, port: int, version: int) -> NfsAnswer:
    """Call NULL through a tunnel, or try the port from the shell. Raises ConnectError."""
    try:
        sock = viewpoint.tunnel(host, port, timeout=TCP_SECONDS)
    except ForwardingForbidden:
        tcp = viewpoint.tcp_from_shell(host, port)
        return NfsAnswer(outcome="unknown" if tcp.open else "unreachable", message=tcp.message)
    except OSError as error:
        return NfsAnswer(outcome="unreachable", message=tunnel_error(error))
    try:
        sock.settimeout(TCP_SECONDS)
        return _call(sock, version)
    except (OSError, struct.error) as error:
        return NfsAnswer(outcome="stranger", message=safe_line(error) or type(error).__name__)
    finally:
        sock.close()


def _call(sock: socket.socket, version: int) -> NfsAnswer:
    call = struct.pack("!10I", _CALL_ID, 0, 2, _PROGRAM, version, 0, 0, 0, 0, 0)
    sock.sendall(struct.pack("!I", 0x8000_0000 | len(call)) + call)
    with sock.makefile("rb") as stream:
        (size,) = struct.unpack("!I", stream.read(4))
        reply = stream.read(min(size & 0x7FFF_FFFF, _LARGEST))
    identity, kind, rejected = struct.unpack("!III", reply[:12])
    if identity != _CALL_ID or kind != 1:
        return NfsAnswer(outcome="stranger", message="its answer is not RPC")
    if rejected:  # a server that requires Kerberos; the mount shows more
        return NfsAnswer(outcome="ok")
    (length,) = struct.unpack("!I", reply[16:20])
    rest = reply[20 + (length + 3) // 4 * 4 :]
    (status,) = struct.unpack("!I", rest[:4])
    if status == 2:
        low, high = struct.unpack("!II", rest[4:12])
        return NfsAnswer(outcome="version", versions=(low, high))
    if status:
        return NfsAnswer(outcome="stranger", message=f"RPC, but not NFS (accept_stat {status})")
    return NfsAnswer(outcome="ok")
