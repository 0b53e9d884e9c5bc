"""The checks of the public URL: name resolution on api nodes and here, and certificate."""

from __future__ import annotations

import ipaddress
import shlex
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from oz_installer.checks.base import InstallationCheck, ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.text import join_and, parse_fields, safe_line

_NAME = "name"
SECONDS = 2.5
"""Time limit on this workstation; nodes have five seconds."""

_SCRIPT = """
command -v getent > /dev/null || exit 0
found=$(soon getent ahosts {host}); status=$?
echo "status $status"
echo "addresses $(echo "$found" | awk '{{ print $1 }}' | sort -u | tr '\\n' ' ')"
"""


@dataclass(frozen=True, kw_only=True)
class DnsFacts:
    """The addresses of a name; ``message``: why it did not resolve; ``tried``: getent is there.

    ``certificate`` is the error of the server's certificate, empty without one; None: no server answers.
    """

    tried: bool = True
    addresses: tuple[str, ...] = ()
    message: str = ""
    certificate: str | None = None


class PublicUrlCheck(ShellCheck[DnsFacts]):
    """Resolve the public URL's name on every api node."""

    name = "public-url"
    title = "Public URL"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Return the nodes that build links from the URL."""
        return context.api_nodes

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Resolve by getent, which uses the same sources as the node's programs."""
        del node
        host = host_of(context)
        return "true" if is_address(host) else _SCRIPT.format(host=shlex.quote(host))

    def parse(self, text: str) -> DnsFacts:
        """Parse the addresses."""
        values = parse_fields(text)
        if "status" not in values:
            return DnsFacts(tried=False)
        late = "no answer within 5 s" if values["status"] == "124" else ""
        return DnsFacts(addresses=tuple(map(safe_line, values.get("addresses", "").split())), message=late)

    def judge(self, context: CheckContext, node: CheckedNode, facts: DnsFacts) -> Iterator[Finding]:
        """Judge the name; an IP address needs no resolving.

        Whether it is the right server is unknown."""
        host = host_of(context)
        if is_address(host):
            yield self.finding(node, "ok", f"{host} is an address", about=_NAME)
        elif facts.tried:
            yield _resolving(self, node, host, facts, "this node")


class WorkstationUrlCheck(InstallationCheck[DnsFacts]):
    """Check the public URL from this workstation, which is closer to users than nodes are."""

    name = "public-url-here"
    title = "Public URL"

    def probe(self, context: CheckContext) -> DnsFacts:
        """Resolve the name; for https also read the certificate of the server that answers."""
        url, host = urlsplit(context.answers.public_url), host_of(context)
        facts = DnsFacts(addresses=(host,)) if is_address(host) else resolve_here(host)
        if url.scheme != "https" or not facts.addresses:
            return facts
        error = certificate_error(facts.addresses[0], url.port or 443, host)
        return DnsFacts(addresses=facts.addresses, certificate=error)

    def judge(self, context: CheckContext, facts: DnsFacts) -> Iterator[Finding]:
        """Judge name and certificate. Before the installation no server needs to answer."""
        host = host_of(context)
        if not is_address(host):
            yield _resolving(self, None, host, facts, "this workstation")
        if facts.certificate:
            yield self.finding(
                None,
                "warning",
                f"the certificate of the server at {host} is not valid: {facts.certificate}",
                about="certificate",
                subject="Public URL's certificate",
                needed=f"a certificate for {host} from a trusted authority",
                why="Browsers and apps refuse to connect to it.",
                hint="Install a certificate for this name on the proxy in front of Oz, or accept this.",
            )
        elif facts.certificate is not None:
            yield self.finding(
                None, "ok", f"valid for {host}", about="certificate", subject="Public URL's certificate"
            )


def host_of(context: CheckContext) -> str:
    """Return the public URL's host; an IPv6 address has no brackets."""
    return urlsplit(context.answers.public_url).hostname or ""


def is_address(host: str) -> bool:
    """Return whether a host is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def resolve_here(host: str, seconds: float = SECONDS) -> DnsFacts:
    """Resolve a name on this workstation.

    A slow resolver is abandoned; it may take half a minute."""
    done: list[DnsFacts] = []

    def resolve() -> None:
        try:
            rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            done.append(DnsFacts(message=safe_line(getattr(error, "strerror", None) or error)))
        else:
            done.append(DnsFacts(addresses=tuple(sorted({str(row[4][0]) for row in rows}))))

    thread = threading.Thread(target=resolve, daemon=True, name="resolve")
    thread.start()
    thread.join(seconds)
    return done[0] if done else DnsFacts(message=f"no answer within {seconds:g} s")


def certificate_error(address: str, port: int, host: str, seconds: float = SECONDS) -> str | None:
    """Return the certificate's error for this name; empty if valid, None without a TLS server."""
    import ssl

    try:
        with (
            socket.create_connection((address, port), timeout=seconds) as sock,
            ssl.create_default_context().wrap_socket(sock, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return safe_line(error.verify_message)
    except OSError:
        return None


def _resolving(
    check: PublicUrlCheck | WorkstationUrlCheck,
    node: CheckedNode | None,
    host: str,
    facts: DnsFacts,
    resolver: str,
) -> Finding:
    if facts.addresses:
        seen = f"{host} is {join_and(facts.addresses[:3])}"
        return check.finding(node, "ok", seen, about=_NAME)
    reason = f": {facts.message}" if facts.message else ""
    return check.finding(
        node,
        "warning",
        f"{resolver} does not resolve {host}{reason}",
        about=_NAME,
        needed="a name that resolves",
        why="Links to media contain this name; a client that cannot resolve it cannot open them.",
        hint="Add the name to DNS (or /etc/hosts), correct public_url, or accept this until DNS is ready.",
    )
