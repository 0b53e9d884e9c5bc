"""The check of internet access: a TLS handshake from a node with each of the vendor's hosts.

Names are resolved by a command on the node: sshd resolves in the one process that serves the whole
connection, so a DNS server that does not answer would block everything else on it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from oz_installer.answers.sections import Proxy
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.network.tcp import tunnel_error
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.remote.parallel import start_all
from oz_installer.remote.ssh.dev_tcp import connect_command, connect_error
from oz_installer.remote.transport import ForwardingForbidden
from oz_installer.text import parse_int, plural, safe_line

SECONDS = 4
_RESOLVE_SECONDS = 3
_LONGEST_REPLY = 8192

# Arguments: names. Docker's containers have IPv4 only, so IPv4 comes first.
_RESOLVE = f"""
command -v getent > /dev/null || exit 0
for name in "$@"; do
  (
    found=$(timeout {_RESOLVE_SECONDS} sh -c 'getent ahostsv4 "$0" || getent ahosts "$0"' "$name")
    echo "$name $(echo "$found" | awk 'NR == 1 {{ print $1 }}')"
  ) &
done
wait
echo end
"""
_ASK_PROXY = """ || exit 1
      [ -n "$2" ] || exit 0
      printf "CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" "$2" "$2" >&3
      IFS= read -r line <&3
      case $line in "HTTP/1."?" 200"*) exit 0 ;; esac
      echo "the proxy answers $line"
      exit 1"""
# Four arguments per destination: number, host and port to connect to, host:port to request from a proxy.
_FROM_SHELL = f"""
while [ $# -gt 3 ]; do
  (
    said=$({connect_command('"$2" "$3" "$4"', seconds=SECONDS, then=_ASK_PROXY)})
    echo "$1 $? $(printf '%s' "$said" | tr '\\r' ' ' | head -n 1)"
  ) &
  shift 4
done
wait
"""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """The host to try for a URL of the catalogue.

    ``tls`` is False for the operator's own http mirror."""

    url: str
    purpose: str
    host: str
    port: int
    tls: bool


@dataclass(frozen=True, kw_only=True)
class EgressFacts:
    """The errors by host; empty for a destination that is reached.

    ``tunnel``: sshd allows tunnels, so TLS was tried. ``skipped``: the answers are air-gapped."""

    errors: Mapping[str, str]
    tunnel: bool = True
    skipped: bool = False


class EgressCheck(ProbeCheck[EgressFacts]):
    """Check the vendor's hosts. Warnings only: models and licences may arrive by other means."""

    name = "egress"
    title = "Egress"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Return the nodes with services that call the vendor."""
        planned = context.topology.nodes if context.topology else ()
        names = {one.name for one in planned if any(placed.service.egress for placed in one.services)}
        return tuple(node for node in context.nodes if node.name in names)

    def probe(self, context: CheckContext, node: CheckedNode) -> EgressFacts:
        """Try all destinations in parallel."""
        if context.answers.air_gapped:
            return EgressFacts(errors={}, skipped=True)
        return _try_all(context.viewpoint(node.name), destinations(context), context.answers.proxy)

    def judge(self, context: CheckContext, node: CheckedNode, facts: EgressFacts) -> Iterator[Finding]:
        """Report all reached destinations as one finding, and each other one as one."""
        if facts.skipped:
            yield self.finding(node, "ok", "skipped: air_gapped is set")
            return
        wanted, proxy = destinations(context), context.answers.proxy
        reached = [one for one in wanted if not facts.errors.get(one.host)]
        if reached:
            proxies = {f" through {url}" for one in reached if (url := _proxy_of(one, proxy))}
            tcp_only = "" if facts.tunnel else ", by TCP only: sshd forbids tunnels"
            yield self.finding(
                node, "ok", f"{plural(len(reached), 'destination')} reached{''.join(proxies)}{tcp_only}"
            )
        for one in wanted:
            if reason := facts.errors.get(one.host):
                yield self._unreached(node, one, reason, _proxy_of(one, proxy))

    def _unreached(self, node: CheckedNode, one: Destination, reason: str, proxy: str | None) -> Finding:
        through = f" through {proxy}" if proxy else ""
        if proxy:
            hint = f"Check that {node.name} reaches the proxy {proxy}, and that the proxy allows {one.host}."
        else:
            hint = (
                f"Allow {node.name} to connect to {one.url} on TCP {one.port} (DNS, routes, firewalls), "
                "or set proxy.url."
            )
        return self.finding(
            node,
            "warning",
            f"{one.host}:{one.port} is not reached{through}: {reason}",
            about=one.host,
            needed=f"{one.url} (the vendor's requirement for BIO and its updater)",
            why=f"Oz needs it for {one.purpose}.",
            hint=f"{hint} If the nodes have no internet access, set air_gapped: true.",
        )


def destinations(context: CheckContext) -> tuple[Destination, ...]:
    """Return the destinations in the catalogue's order, each host once."""
    found: dict[str, Destination] = {}
    for one in context.release.egress:
        example = (one.example or one.url).format_map({"updater_host": context.answers.updater.host})
        parts = urlsplit(example)
        host, tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        destination = Destination(url=one.url, purpose=one.purpose, host=host, port=port, tls=tls)
        found.setdefault(host, destination)
    return tuple(found.values())


def is_direct(host: str, direct: Sequence[str]) -> bool:
    """Return whether a host bypasses the proxy: it or a parent domain is in ``direct``."""
    domains = [one.lower().lstrip("*").strip(".") for one in direct]
    return any(host == domain or host.endswith(f".{domain}") for domain in domains if domain)


def _proxy_of(one: Destination, proxy: Proxy) -> str | None:
    """Return the proxy's URL; None for a destination that bypasses it."""
    return None if proxy.url is None or is_direct(one.host, proxy.no_proxy) else proxy.url.rstrip("/")


def _next_hop(one: Destination, proxy: Proxy) -> tuple[str, int]:
    """Return host and port that the node itself connects to."""
    url = _proxy_of(one, proxy)
    parts = urlsplit(url or "")
    return (parts.hostname or "", parts.port or 80) if url else (one.host, one.port)


def _try_all(viewpoint: Viewpoint, wanted: Sequence[Destination], proxy: Proxy) -> EgressFacts:
    """Try all destinations through tunnels of the node, or from its shell without tunnels."""
    names = tuple(dict.fromkeys(_next_hop(one, proxy)[0] for one in wanted))
    addresses = _resolved(viewpoint, names)
    errors: dict[str, str] = {}
    work = {}
    for one in wanted:
        name, port = _next_hop(one, proxy)
        if address := addresses[name]:
            by_proxy = _proxy_of(one, proxy) is not None
            work[one.host] = partial(_connect, viewpoint, address, port, one, by_proxy)
        else:
            errors[one.host] = f"the node cannot resolve {name}"
    futures = start_all(work, lambda host: work[host](), name="egress")
    wait(futures.values(), timeout=SECONDS + 1)
    for host, future in futures.items():
        try:
            errors[host] = future.result(timeout=0)
        except TimeoutError:
            errors[host] = f"no answer within {SECONDS} s"
        except ForwardingForbidden:
            return EgressFacts(errors=_from_shell(viewpoint, wanted, proxy), tunnel=False)
    return EgressFacts(errors=errors)


def _resolved(viewpoint: Viewpoint, names: Sequence[str]) -> dict[str, str]:
    """Resolve names on the node; an unknown name gets an empty address.

    A node without getent returns the names themselves, and sshd resolves them."""
    argv = ("sh", "-c", _RESOLVE, "oz-install-check", *names)
    result = viewpoint.shell(argv, timeout=3.0 * _RESOLVE_SECONDS)
    lines = result.text.splitlines()
    if "end" not in lines:
        return {name: name for name in names}
    addresses = {name: address for name, _, address in (line.partition(" ") for line in lines)}
    return {name: addresses.get(name, "") for name in names}


def _connect(viewpoint: Viewpoint, address: str, port: int, one: Destination, by_proxy: bool) -> str:
    """Return why a destination is not reached, or empty.

    Raises ForwardingForbidden, ConnectError."""
    until = time.monotonic() + SECONDS
    try:
        with contextlib.closing(viewpoint.tunnel(address, port, timeout=SECONDS)) as sock:
            sock.settimeout(max(0.1, until - time.monotonic()))
            if by_proxy and one.tls and (refusal := _proxy_refusal(sock, one)):
                return refusal
            if one.tls:
                _context().wrap_socket(sock, server_hostname=one.host).close()
    except ssl.SSLCertVerificationError as error:
        reason = safe_line(error.verify_message)
        return f"its certificate is not trusted here ({reason}); a proxy may be intercepting TLS"
    except TimeoutError:
        return f"no answer within {SECONDS} s"
    except ssl.SSLError as error:
        return f"TLS fails: {safe_line(error.reason or error)}"
    except OSError as error:
        return tunnel_error(error)
    return ""


def _proxy_refusal(sock: socket.socket, one: Destination) -> str:
    """Request the destination from a proxy; return its refusal, or empty."""
    address = f"{one.host}:{one.port}"
    sock.sendall(f"CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
    reply = b""
    while b"\r\n\r\n" not in reply and len(reply) < _LONGEST_REPLY and (data := sock.recv(1024)):
        reply += data
    line = safe_line(reply.partition(b"\r\n")[0].decode("latin-1"))
    parts = line.split()
    if len(parts) > 1 and parts[0].startswith("HTTP/1.") and parts[1] == "200":
        return ""
    return f"the proxy answers {line}" if line else "the proxy closes the connection"


def _context() -> ssl.SSLContext:
    """Return a TLS context; it verifies unless this workstation has no authorities at all."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not (paths.capath and any(Path(paths.capath).iterdir())):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _from_shell(viewpoint: Viewpoint, wanted: Sequence[Destination], proxy: Proxy) -> dict[str, str]:
    """Try TCP only, and a proxy's answer, by bash's /dev/tcp on the node."""
    arguments: list[str] = []
    for number, one in enumerate(wanted):
        host, port = _next_hop(one, proxy)
        request = f"{one.host}:{one.port}" if one.tls and _proxy_of(one, proxy) else ""
        arguments += [str(number), host, str(port), request]
    argv = ("sh", "-c", _FROM_SHELL, "oz-install-check", *arguments)
    result = viewpoint.shell(argv, timeout=2.0 * SECONDS)
    rows = {row[0]: row[1:] for line in result.text.splitlines() if len(row := line.split(" ", 2)) == 3}
    return {one.host: _shell_error(rows.get(str(number), [])) for number, one in enumerate(wanted)}


def _shell_error(row: Sequence[str]) -> str:
    if not row or (status := parse_int(row[0])) is None:
        return "the node's shell does not answer"
    return connect_error(status, row[1], seconds=SECONDS)
