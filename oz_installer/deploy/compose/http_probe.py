"""HTTP requests from a node: through a tunnel of its connection, or from its shell."""

from __future__ import annotations

import http.client
import socket

from oz_installer.remote.ssh.dev_tcp import connect_argv, connect_error
from oz_installer.remote.transport import ForwardingForbidden, Transport

TIMEOUT = 10.0


class _TunnelConnection(http.client.HTTPConnection):
    """An HTTP connection over an open socket."""

    def __init__(self, host: str, port: int, tunnel: socket.socket) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self.sock = tunnel


def http_status(transport: Transport, host: str, port: int, path: str) -> tuple[int, str]:
    """Return status and text of GET http://host:port/path from the node; 0: no answer.

    Raises ConnectError when the connection to the node is lost.
    """
    try:
        tunnel = transport.tunnel(host, port, timeout=TIMEOUT)
    except ForwardingForbidden:
        return _from_shell(transport, host, port, path)
    except OSError as error:
        return 0, str(error)
    try:
        tunnel.settimeout(TIMEOUT)  # a tunnel has no timeout, and a server that accepts may never answer
        connection = _TunnelConnection(host, port, tunnel)
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read(300).decode("utf-8", "replace")
        return response.status, f"HTTP {response.status} {' '.join(body.split())}"
    except (OSError, http.client.HTTPException) as error:
        return 0, f"no answer: {error or type(error).__name__}"
    finally:
        tunnel.close()


_GET = ' && printf "GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n" "$2" "$0" >&3 && head -c 600 <&3'


def _from_shell(transport: Transport, host: str, port: int, path: str) -> tuple[int, str]:
    """Return the same through bash's /dev/tcp, for nodes whose sshd forbids tunnels."""
    argv = connect_argv(host, port, path, seconds=TIMEOUT, then=_GET)
    result = transport.run(argv, become=False)
    words = result.text.split()
    if len(words) > 1 and words[0].startswith("HTTP/") and words[1].isdigit():
        return int(words[1]), " ".join(words)[:300]
    reason = connect_error(result.status, result.stderr_text, seconds=TIMEOUT)
    return 0, f"no answer: {reason or 'it does not speak HTTP'}"
