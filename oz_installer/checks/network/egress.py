"""The way out to the vendor from every node whose services take it: a TLS handshake with each destination.

Names are resolved on the node by a command of its own: sshd resolves in the one process that serves the whole
connection, and would stop everything else on it where DNS does not answer.
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

from oz_installer.answers.model import Proxy
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.network.tcp import tunnel_error
from oz_installer.remote.parallel import start_all
from oz_installer.remote.ssh.dev_tcp import connect_command, connect_error
from oz_installer.remote.transport import ForwardingForbidden, Transport
from oz_installer.text import parse_int, plural, safe_line

SECONDS = 4
_RESOLVE_SECONDS = 3
_LONGEST_REPLY = 8192

# Arguments: names. Containers of Docker have IPv4 only, so that comes first.
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
      echo "the proxy says $line"
      exit 1"""
# Arguments: four a destination: number, host and port to connect to, host:port to ask the proxy there for.
_FROM_SHELL = f"""
LC_ALL=C; export LC_ALL
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
    """What is tried for a URL of the catalogue. ``tls`` is not spoken with a mirror of one's own on http."""

    url: str
    purpose: str
    host: str
    port: int
    tls: bool


@dataclass(frozen=True, kw_only=True)
class EgressFacts:
    """Why each destination is not reached, by host; empty where it is. ``tunnel``: sshd let us ask, and speak
    TLS. ``skipped``: the answers say that there is no way out."""

    trouble: Mapping[str, str]
    tunnel: bool = True
    skipped: bool = False


class EgressCheck(ProbeCheck[EgressFacts]):
    """Warnings only: whether models and licences can be brought otherwise, the operator knows."""

    name = "egress"
    title = "Egress"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """The nodes with services that call the vendor."""
        planned = context.topology.nodes if context.topology else ()
        names = {one.name for one in planned if any(placed.service.egress for placed in one.services)}
        return tuple(node for node in context.nodes if node.name in names)

    def probe(self, context: CheckContext, node: CheckedNode) -> EgressFacts:
        """All destinations at once."""
        if context.answers.air_gapped:
            return EgressFacts(trouble={}, skipped=True)
        return _ask(context.transport(node.name), destinations(context), context.answers.proxy)

    def judge(self, context: CheckContext, node: CheckedNode, facts: EgressFacts) -> Iterator[Finding]:
        """One for all that are reached, one for each that is not."""
        if facts.skipped:
            yield self.finding(node, "ok", "skipped: the answers say air-gapped")
            return
        wanted, proxy = destinations(context), context.answers.proxy
        reached = [one for one in wanted if not facts.trouble.get(one.host)]
        if reached:
            ways = {f" through {way}" for one in reached if (way := _through(one, proxy))}
            plain = "" if facts.tunnel else ", by TCP alone: sshd forbids tunnels"
            yield self.finding(
                node, "ok", f"{plural(len(reached), 'destination')} reached{''.join(ways)}{plain}"
            )
        for one in wanted:
            if why := facts.trouble.get(one.host):
                yield self._unreached(node, one, why, _through(one, proxy))

    def _unreached(self, node: CheckedNode, one: Destination, why: str, proxy: str | None) -> Finding:
        way = f" through {proxy}" if proxy else ""
        if proxy:
            hint = f"Does {node.name} reach the proxy {proxy}, and does that let it through to {one.host}?"
        else:
            hint = (
                f"Let {node.name} out to {one.url} at TCP {one.port} (name service, routes, firewalls), or "
                "name a proxy: proxy.url."
            )
        return self.finding(
            node,
            "warning",
            f"{one.host}:{one.port} is not reached{way}: {why}",
            about=one.host,
            needed=f"{one.url} (the vendor's requirement for BIO and its updater)",
            why=f"It is used for {one.purpose}.",
            hint=f"{hint} Without any way out: air_gapped: true.",
        )


def destinations(context: CheckContext) -> tuple[Destination, ...]:
    """What is tried, in the catalogue's order, each host once."""
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
    """Whether a host is reached without the proxy: it, or a domain above it, is among those."""
    domains = [one.lower().lstrip("*").strip(".") for one in direct]
    return any(host == domain or host.endswith(f".{domain}") for domain in domains if domain)


def _through(one: Destination, proxy: Proxy) -> str | None:
    """The proxy's URL; None where the destination is reached without it."""
    return None if proxy.url is None or is_direct(one.host, proxy.no_proxy) else proxy.url.rstrip("/")


def _first(one: Destination, proxy: Proxy) -> tuple[str, int]:
    """Where the node itself connects to."""
    way = _through(one, proxy)
    parts = urlsplit(way or "")
    return (parts.hostname or "", parts.port or 80) if way else (one.host, one.port)


def _ask(transport: Transport, wanted: Sequence[Destination], proxy: Proxy) -> EgressFacts:
    """From the workstation through tunnels of the node; from its shell where there are none."""
    names = tuple(dict.fromkeys(_first(one, proxy)[0] for one in wanted))
    addresses = _resolved(transport, names)
    trouble: dict[str, str] = {}
    work = {}
    for one in wanted:
        name, port = _first(one, proxy)
        if address := addresses[name]:
            asked = _through(one, proxy) is not None
            work[one.host] = partial(_reach, transport, address, port, one, asked)
        else:
            trouble[one.host] = f"{name} is not known to its name service"
    futures = start_all(work, lambda host: work[host](), name="egress")
    wait(futures.values(), timeout=SECONDS + 1)
    for host, future in futures.items():
        try:
            trouble[host] = future.result(timeout=0)
        except TimeoutError:
            trouble[host] = f"no answer within {SECONDS} s"
        except ForwardingForbidden:
            return EgressFacts(trouble=_from_shell(transport, wanted, proxy), tunnel=False)
    return EgressFacts(trouble=trouble)


def _resolved(transport: Transport, names: Sequence[str]) -> dict[str, str]:
    """An address of each name, as the node knows it; empty where it knows none. Where it cannot tell, the
    name itself: then sshd looks it up."""
    argv = ("sh", "-c", _RESOLVE, "oz-install-check", *names)
    result = transport.run(argv, become=False, timeout=3.0 * _RESOLVE_SECONDS)
    lines = result.text.splitlines()
    if "end" not in lines:
        return {name: name for name in names}
    told = {name: address for name, _, address in (line.partition(" ") for line in lines)}
    return {name: told.get(name, "") for name in names}


def _reach(transport: Transport, address: str, port: int, one: Destination, asked: bool) -> str:
    """Why it is not reached; empty where it is. Raises ForwardingForbidden, ConnectError."""
    until = time.monotonic() + SECONDS
    try:
        with contextlib.closing(transport.tunnel(address, port, timeout=SECONDS)) as sock:
            sock.settimeout(max(0.1, until - time.monotonic()))
            if asked and one.tls and (refusal := _asked(sock, one)):
                return refusal
            if one.tls:
                _context().wrap_socket(sock, server_hostname=one.host).close()
    except ssl.SSLCertVerificationError as error:
        reason = safe_line(error.verify_message)
        return f"its certificate is not trusted here ({reason}): does something open TLS?"
    except TimeoutError:
        return f"no answer within {SECONDS} s"
    except ssl.SSLError as error:
        return f"TLS fails: {safe_line(error.reason or error)}"
    except OSError as error:
        return tunnel_error(error)
    return ""


def _asked(sock: socket.socket, one: Destination) -> str:
    """Ask a proxy for the destination; what it says when it does not let us through."""
    place = f"{one.host}:{one.port}"
    sock.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
    reply = b""
    while b"\r\n\r\n" not in reply and len(reply) < _LONGEST_REPLY and (data := sock.recv(1024)):
        reply += data
    line = safe_line(reply.partition(b"\r\n")[0].decode("latin-1"))
    words = line.split()
    if len(words) > 1 and words[0].startswith("HTTP/1.") and words[1] == "200":
        return ""
    return f"the proxy says {line}" if line else "the proxy closes the connection"


def _context() -> ssl.SSLContext:
    """Verifies, where this workstation knows any authority."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not (paths.capath and any(Path(paths.capath).iterdir())):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _from_shell(transport: Transport, wanted: Sequence[Destination], proxy: Proxy) -> dict[str, str]:
    """TCP alone, and what a proxy says, with bash's /dev/tcp."""
    words: list[str] = []
    for number, one in enumerate(wanted):
        host, port = _first(one, proxy)
        asked = f"{one.host}:{one.port}" if one.tls and _through(one, proxy) else ""
        words += [str(number), host, str(port), asked]
    argv = ("sh", "-c", _FROM_SHELL, "oz-install-check", *words)
    result = transport.run(argv, become=False, timeout=2.0 * SECONDS)
    told = {row[0]: row[1:] for line in result.text.splitlines() if len(row := line.split(" ", 2)) == 3}
    return {one.host: _ended(told.get(str(number), [])) for number, one in enumerate(wanted)}


def _ended(told: Sequence[str]) -> str:
    if not told or (status := parse_int(told[0])) is None:
        return "the node's shell gives no answer"
    return connect_error(status, told[1], seconds=SECONDS)
