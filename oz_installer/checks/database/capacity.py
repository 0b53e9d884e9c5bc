"""Findings about the database's free connections and the database server's clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckedNode, Finding, FindingLevel
from oz_installer.checks.database.postgres import Server
from oz_installer.checks.host.clock import TOLERATED_SECONDS
from oz_installer.topology.model import Topology

SOURCE = "6 gunicorn workers per node, 2 per queue: the vendor's start commands"


def connections_needed(topology: Topology) -> int:
    """Count the connections to the database that all services hold together."""
    return sum(placed.service.connections for node in topology.nodes for placed in node.services)


def free_connections(server: Server, needed: int) -> tuple[int, str]:
    """Return the connections that are free for Oz, and the setting with the narrowest limit.

    Connections that an existing installation of Oz holds count as free, up to ``needed``."""
    ours = min(server.used_by_us, needed)
    limits = [(server.limit - server.reserved - server.used, "max_connections")]
    if server.role_limit >= 0 and not server.superuser:
        limits.append((server.role_limit - server.used_by_role, "the role's CONNECTION LIMIT"))
    if server.database_limit >= 0 and not server.superuser:
        limits.append((server.database_limit - server.used_in_database, "the database's CONNECTION LIMIT"))
    left, narrowest = min(limits)
    return left + ours, narrowest


def connection_findings(
    check: NodeCheck[Any], node: CheckedNode, server: Server, topology: Topology | None
) -> Iterator[Finding]:
    """Compare the free connections with those that the topology needs."""
    needed = connections_needed(topology) if topology else 0
    free, narrowest = free_connections(server, needed)
    level: FindingLevel = "failure" if free <= 0 else "warning" if free < needed else "ok"
    if topology is None and level == "ok":
        return
    limit = {
        "max_connections": f"{server.limit} (max_connections), {server.reserved} of them reserved, "
        f"{server.used} in use",
        "the role's CONNECTION LIMIT": f"{server.role_limit} ({narrowest}), {server.used_by_role} in use",
        "the database's CONNECTION LIMIT": f"{server.database_limit} ({narrowest}), "
        f"{server.used_in_database} in use",
    }[narrowest]
    ours = f", {server.used_by_us} of those by Oz" if server.used_by_us else ""
    yield check.finding(
        node,
        level,
        f"{max(free, 0)} free for Oz of {limit}{ours}",
        about="connections",
        subject="Database connections",
        needed=f"{needed} ({SOURCE})" if topology else "",
        why="Requests and analyses fail when PostgreSQL refuses further connections.",
        hint=f"Raise {narrowest}, close the other connections, put a pooler in session mode in front, "
        "or accept this.",
    )


def clock_findings(check: NodeCheck[Any], ahead: Mapping[str, float]) -> Iterator[Finding]:
    """Compare the server's clock with this workstation's; ``ahead`` are seconds, by node."""
    if not ahead:
        return
    off = median(ahead.values())
    about, subject = "clock", "Database clock"
    side = "ahead of" if off > 0 else "behind"
    if abs(off) <= TOLERATED_SECONDS:
        seen = f"within {TOLERATED_SECONDS:.0f} s of this workstation's"
        yield check.finding(None, "ok", seen, about=about, subject=subject)
        return
    yield check.finding(
        None,
        "warning",
        f"the database server's clock is {abs(off):.1f} s {side} this workstation's",
        about=about,
        subject=subject,
        needed=f"within {TOLERATED_SECONDS:.0f} s",
        why="Times in the database differ from those of the nodes: sessions end too early or too late.",
        hint="Run timedatectl set-ntp true on the server (or use chrony). If the clock check reports the "
        "same for every node, set this workstation's clock. Or accept this.",
    )
