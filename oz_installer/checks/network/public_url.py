"""The public URL: whether its name resolves, on api nodes and here, and a certificate is valid."""

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
"""For asking here; nodes give up after five."""

_SCRIPT = """
command -v getent > /dev/null || exit 0
found=$(soon getent ahosts {host}); status=$?
echo "status $status"
echo "addresses $(echo "$found" | awk '{{ print $1 }}' | sort -u | tr '\\n' ' ')"
"""


@dataclass(frozen=True, kw_only=True)
class DnsFacts:
    """What a name resolved to; ``tried`` is False where nothing can tell, ``said`` is why it did not.

    ``certificate`` is what is wrong with that of the server behind it; None where no server answers.
    """

    tried: bool = True
    addresses: tuple[str, ...] = ()
    said: str = ""
    certificate: str | None = None


class PublicUrlCheck(ShellCheck[DnsFacts]):
    """From every api node."""

    name = "public-url"
    title = "Public URL"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """What builds links from it."""
        return context.api_nodes

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """getent asks what programs of the node ask: /etc/hosts, DNS, and whatever else is set up."""
        del node
        host = host_of(context)
        return "true" if is_address(host) else _SCRIPT.format(host=shlex.quote(host))

    def parse(self, text: str) -> DnsFacts:
        """Addresses from its lines."""
        told = parse_fields(text)
        if "status" not in told:
            return DnsFacts(tried=False)
        late = "no answer within 5 s" if told["status"] == "124" else ""
        return DnsFacts(addresses=tuple(map(safe_line, told.get("addresses", "").split())), said=late)

    def judge(self, context: CheckContext, node: CheckedNode, facts: DnsFacts) -> Iterator[Finding]:
        """An address needs no resolving; whether the name leads to the right server nobody can tell here."""
        host = host_of(context)
        if is_address(host):
            yield self.finding(node, "ok", f"{host} is an address", about=_NAME)
        elif facts.tried:
            yield _resolving(self, node, host, facts, "this node")


class WorkstationUrlCheck(InstallationCheck[DnsFacts]):
    """From the workstation, which is where users are rather than the nodes."""

    name = "public-url-here"
    title = "Public URL"

    def probe(self, context: CheckContext) -> DnsFacts:
        """Resolve; over https look at the certificate of what answers."""
        url, host = urlsplit(context.answers.public_url), host_of(context)
        facts = DnsFacts(addresses=(host,)) if is_address(host) else resolve_here(host)
        if url.scheme != "https" or not facts.addresses:
            return facts
        wrong = certificate_error(facts.addresses[0], url.port or 443, host)
        return DnsFacts(addresses=facts.addresses, certificate=wrong)

    def judge(self, context: CheckContext, facts: DnsFacts) -> Iterator[Finding]:
        """Nothing needs to listen there before the installation."""
        host = host_of(context)
        if not is_address(host):
            yield _resolving(self, None, host, facts, "this workstation")
        if facts.certificate:
            yield self.finding(
                None,
                "warning",
                f"what answers for {host} has a certificate that is not valid for it: {facts.certificate}",
                about="certificate",
                subject="Public URL's certificate",
                why="Browsers and apps refuse to talk to it.",
                hint="Give what stands in front of Oz a certificate for this name, or accept this.",
            )
        elif facts.certificate is not None:
            yield self.finding(
                None, "ok", f"valid for {host}", about="certificate", subject="Public URL's certificate"
            )


def host_of(context: CheckContext) -> str:
    """The public URL's host; an IPv6 address without brackets."""
    return urlsplit(context.answers.public_url).hostname or ""


def is_address(host: str) -> bool:
    """Whether it is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def resolve_here(host: str, seconds: float = SECONDS) -> DnsFacts:
    """As this workstation's programs do it. A resolver may take half a minute: it is left behind then."""
    done: list[DnsFacts] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            done.append(DnsFacts(said=safe_line(getattr(error, "strerror", None) or error)))
        else:
            done.append(DnsFacts(addresses=tuple(sorted({str(one[4][0]) for one in found}))))

    thread = threading.Thread(target=ask, daemon=True, name="resolve")
    thread.start()
    thread.join(seconds)
    return done[0] if done else DnsFacts(said=f"no answer within {seconds:g} s")


def certificate_error(address: str, port: int, host: str, seconds: float = SECONDS) -> str | None:
    """What is wrong with the certificate for this name; empty when nothing, None when no TLS answers."""
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
    place: str,
) -> Finding:
    if facts.addresses:
        seen = f"{host} is {join_and(facts.addresses[:3])}"
        return check.finding(node, "ok", seen, about=_NAME)
    because = f": {facts.said}" if facts.said else ""
    return check.finding(
        node,
        "warning",
        f"{place} does not resolve {host}{because}",
        about=_NAME,
        needed="a name that resolves",
        why="Links to media are built from it: what cannot resolve it cannot follow them.",
        hint="Enter it in DNS (or in /etc/hosts), correct public_url; or accept this until DNS is ready.",
    )
