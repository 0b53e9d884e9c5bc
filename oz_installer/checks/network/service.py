"""Findings that all external services share: connection, protocol and version. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckedNode, Finding
from oz_installer.checks.network.tcp import TcpResult, dns_hint


@dataclass(frozen=True, kw_only=True)
class ExternalService:
    """An external service as its findings name it.

    ``listener`` is its address, ``host`` the name to resolve and ``key`` the answer that holds the name;
    ``listens_by`` names the settings that decide on which addresses it listens. ``unreachable`` replaces
    «LISTENER cannot be reached».
    """

    product: str
    listener: str
    host: str
    key: str
    listens_by: str
    stranger_hint: str
    unreachable: str = ""


def access_finding(
    check: NodeCheck[Any],
    node: CheckedNode,
    service: ExternalService,
    outcome: str,
    message: str = "",
    tcp: TcpResult | None = None,
) -> Finding | None:
    """Judge why a login ended before the service answered; None when it did answer.

    ``outcome`` is ``unreachable``, ``stranger``, or anything else. ``tcp`` is the connection that the node's
    shell tried because sshd forbids tunnels; then the login itself was not tried.
    """
    if tcp is not None and tcp.open:
        return check.finding(
            node,
            "warning",
            f"{service.listener} answers; the login was not checked",
            why="sshd on the node forbids tunnels, and a check installs nothing on a node.",
            hint="Set AllowTcpForwarding local in the node's sshd_config, or accept this: the installation "
            "shows whether the login works.",
        )
    if tcp is not None or outcome == "unreachable":
        return _unreachable(check, node, service, tcp.message if tcp else message)
    if outcome == "stranger":
        return check.finding(
            node,
            "failure",
            f"the service at {service.listener} does not speak {service.product}"
            + (f": {message}" if message else ""),
            why=f"The services on this node cannot use it as {service.product}.",
            hint=service.stranger_hint,
        )
    return None


def _unreachable(check: NodeCheck[Any], node: CheckedNode, service: ExternalService, reason: str) -> Finding:
    return check.finding(
        node,
        "failure",
        f"{service.unreachable or f'{service.listener} cannot be reached'}: {reason}",
        needed="a TCP connection from every api node",
        why=f"The services on this node cannot use {service.product}.",
        hint=dns_hint(reason, service.host, service.key)
        or f"Check that the address is right for this node, that {service.product} listens on it "
        f"({service.listens_by}), and that no firewall blocks it.",
    )


def version_finding(
    check: NodeCheck[Any], node: CheckedNode, subject: str, seen: str, bundled: str, *, old: bool
) -> Finding:
    """Compare a service with the version that the vendor bundles; the vendor states no minimum."""
    return check.finding(
        node,
        "warning" if old else "ok",
        seen,
        about="version",
        subject=subject,
        needed=f"{bundled} or newer (what the vendor bundles)" if bundled else "",
        why="Oz is not known to work with an older version.",
        hint="Upgrade the service, or ask Oz Forensics and accept this.",
    )
