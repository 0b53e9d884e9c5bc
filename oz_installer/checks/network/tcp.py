"""TCP as a node sees it: through a tunnel, or from its own shell where tunnels are forbidden."""

from __future__ import annotations

from dataclasses import dataclass

from oz_installer.remote.ssh.dev_tcp import connect_argv, connect_error
from oz_installer.remote.transport import (
    ForwardingForbidden,
    Transport,
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
"""As the resolvers of glibc, musl and bash say it."""


@dataclass(frozen=True, kw_only=True)
class TcpResult:
    """Whether something takes connections there; ``message`` is why not. ``tunnel``: sshd let us ask."""

    open: bool
    message: str = ""
    tunnel: bool = True


def tunnel_error(error: OSError) -> str:
    """Why a connection through a tunnel failed, without where to: that is message beside it."""
    return safe_line(error.reason if isinstance(error, TunnelRefused | TunnelTimeout) else error)


def dns_hint(why: str, host: str, key: str) -> str:
    """What to do where a name was not resolved; empty where that is not why. ``key`` is of the answers."""
    if not any(word in why.lower() for word in _NO_NAME):
        return ""
    return (
        f"The node cannot resolve {host}: getent hosts {host} there. Correct the name (answers: {key}), or "
        "the node's DNS (/etc/resolv.conf) or /etc/hosts."
    )


def try_tcp(transport: Transport, host: str, port: int) -> TcpResult:
    """Try one TCP connection from the node, and close it. Raises ConnectError when the node is gone."""
    try:
        transport.tunnel(host, port, timeout=TCP_SECONDS).close()
    except ForwardingForbidden:
        return try_tcp_from_shell(transport, host, port)
    except OSError as error:
        return TcpResult(open=False, message=tunnel_error(error))
    return TcpResult(open=True)


def try_tcp_from_shell(transport: Transport, host: str, port: int) -> TcpResult:
    """The same with bash's /dev/tcp."""
    argv = connect_argv(host, port, seconds=TCP_SECONDS)
    result = transport.run(argv, become=False, timeout=2 * TCP_SECONDS)
    why = connect_error(result.status, result.stderr_text, seconds=TCP_SECONDS)
    return TcpResult(open=result.ok, message=why, tunnel=False)
