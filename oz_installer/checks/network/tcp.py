"""TCP connections as a node sees them, through a tunnel or from its shell."""

from __future__ import annotations

from dataclasses import dataclass

from oz_installer.remote.transport import (
    TunnelRefused,
    TunnelTimeout,
)
from oz_installer.text import safe_line

TCP_SECONDS = 5.0
_NO_NAME = (
    "name or service not known",
    "temporary failure in name resolution",
    "no address associated with",
    "name does not resolve",
    "nodename nor servname",
    "non-recoverable failure in name resolution",
)
"""The messages of the resolvers of glibc, musl and bash."""


@dataclass(frozen=True, kw_only=True)
class TcpResult:
    """The result of a connection; ``message`` is why it failed. ``tunnel``: sshd allows tunnels."""

    open: bool
    message: str = ""
    tunnel: bool = True


def tunnel_error(error: OSError) -> str:
    """Return why a connection through a tunnel failed, without its address."""
    return safe_line(error.reason if isinstance(error, TunnelRefused | TunnelTimeout) else error)


def dns_hint(reason: str, host: str, key: str) -> str:
    """Return the hint for a name that was not resolved, empty for other reasons.

    ``key``: the answer's."""
    if not any(message in reason.lower() for message in _NO_NAME):
        return ""
    return (
        f"The node cannot resolve {host}: run getent hosts {host} there. Correct the name (answers: {key}), "
        "or the node's DNS (/etc/resolv.conf) or /etc/hosts."
    )
