"""Findings that external services share: how a node reaches one, and whether it is new enough. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckedNode, Finding
from oz_installer.checks.network.tcp import TcpResult, dns_hint


@dataclass(frozen=True, kw_only=True)
class Service:
    """An external service, in the words of its findings.

    ``listener`` is where it listens, ``host`` the name to resolve and ``key`` the answer that has it;
    ``listens_by`` names the settings that decide what it listens at. ``unreachable`` stands in place of
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
    service: Service,
    outcome: str,
    said: str = "",
    tcp: TcpResult | None = None,
) -> Finding | None:
    """Judge what ended a login before the service was asked anything; None where nothing did.

    ``outcome`` is ``unreachable``, ``stranger``, or anything else. ``tcp`` is the connection that the node's
    shell tried where sshd forbids tunnels: then nothing more could be tried.
    """
    if tcp is not None and tcp.open:
        return check.finding(
            node,
            "warning",
            f"{service.listener} answers; the login could not be tried",
            why="sshd of the node forbids tunnels, and nothing is installed on a node to check it.",
            hint="Set AllowTcpForwarding local in the node's sshd_config, or accept this: the installation "
            "shows whether it works.",
        )
    if tcp is not None or outcome == "unreachable":
        why = tcp.said if tcp else said
        return check.finding(
            node,
            "failure",
            f"{service.unreachable or f'{service.listener} cannot be reached'}: {why}",
            needed="a TCP connection from every api node",
            hint=dns_hint(why, service.host, service.key)
            or f"Check that the address is right as this node sees it, that {service.product} listens there "
            f"({service.listens_by}), and that no firewall stands between.",
        )
    if outcome == "stranger":
        return check.finding(
            node,
            "failure",
            f"what listens at {service.listener} does not speak {service.product}"
            + (f": {said}" if said else ""),
            hint=service.stranger_hint,
        )
    return None


def version_finding(
    check: NodeCheck[Any], node: CheckedNode, subject: str, seen: str, bundled: str, *, old: bool
) -> Finding:
    """Compare a service with the version that the vendor bundles, for the vendor names no oldest one."""
    return check.finding(
        node,
        "warning" if old else "ok",
        seen,
        about="version",
        subject=subject,
        needed=f"{bundled} or newer (what the vendor bundles)" if bundled else "",
        why="Oz is not known to work with an older one.",
        hint="Upgrade it, or ask Oz Forensics and accept this.",
    )
