"""A connection that is blocked: by which firewall, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.context import CheckContext
from oz_installer.checks.network import firewall
from oz_installer.checks.network.listener import CONNECT_SECONDS
from oz_installer.checks.network.port_probe import (
    NetworkFacts,
    ProbedConnection,
)
from oz_installer.text import safe_line
from oz_installer.topology.model import Topology


def all_open(connection: ProbedConnection, facts: NetworkFacts) -> bool:
    return all(
        facts.outcomes.get((connection.source, connection.target, port)) == "open"
        for port in connection.ports
    )


def listens_already(connection: ProbedConnection, facts: NetworkFacts) -> bool:
    """Return whether the connection was made to Oz itself, not to the check's listener."""
    return all_open(connection, facts) and all(
        facts.ports.get((connection.target, one)) == "taken" for one in connection.ports
    )


def forwarding_rule(topology: Topology, connection: ProbedConnection, facts: NetworkFacts) -> str:
    """Return the target's rule that may block traffic to a container.

    Empty without such a rule, without rules that could be read, and when the container itself answered."""
    node_firewall = facts.firewalls.get(connection.target)
    if node_firewall is None or node_firewall.forward_chains is None or listens_already(connection, facts):
        return ""
    source = topology.node(connection.source).address
    for port in range(connection.port, (connection.last or connection.port) + 1):
        if rule := node_firewall.blocks_published(source, port, container_port(topology, connection, port)):
            return rule
    return ""


def container_port(topology: Topology, connection: ProbedConnection, port: int) -> int:
    """Return the container's port behind a published one."""
    published = [one for placed in topology.node(connection.target).services for one in placed.ports]
    match = next((one for one in published if one.host <= port <= (one.last or one.host)), None)
    return match.container + port - match.host if match else port


def own_firewall_of(
    context: CheckContext,
    topology: Topology,
    connection: ProbedConnection,
    ports: Sequence[int],
    facts: NetworkFacts,
) -> str:
    """Return the target's own firewall if it alone blocks these ports and Docker bypasses it.

    A port that is in use and not reached is blocked whatever the rules say."""
    node_firewall = facts.firewalls.get(connection.target)
    if not ENGINES[context.answers.engine].publishes_past_firewall:
        return ""
    if node_firewall is None or not node_firewall.read:
        return ""
    if forwarding_rule(topology, connection, facts):
        return ""
    if any(facts.ports.get((connection.target, port)) == "taken" for port in ports):
        return ""
    names = [node_firewall.blocks(port) for port in ports]
    return names[0] if all(names) else ""


def outcome_text(end: str) -> str:
    if end == "late":
        return f"no answer within {CONNECT_SECONDS} s"
    return "refused, although a program listens" if end == "refused" else end.removeprefix("other ")


def _hint(topology: Topology, connection: ProbedConnection, end: str) -> str:
    """Return the hint with the commands that open the port."""
    dash, colon = connection.port_range("-"), connection.port_range(":")
    opening = (
        f"ufw allow {colon}/tcp; or firewall-cmd --add-port={dash}/tcp, then the same with --permanent; "
        f"or in nftables: tcp dport {dash} accept"
    )
    if end == "late":
        return (
            f"A firewall drops the packets. On {connection.target}, run: {opening}. Also check firewalls and "
            f"security groups between the two, and rules for outgoing traffic of {connection.source}."
        )
    if end == "refused":
        return f"The firewall of {connection.target} rejects the connection. Run there: {opening}."
    address = topology.node(connection.target).address
    return (
        f"Check that {connection.source} has a route to {address} (getent hosts {address}; ip route get "
        f"{address}). If it has, the firewall of {connection.target} rejects the connection. Run there: "
        f"{opening}."
    )


def advice(
    topology: Topology, connection: ProbedConnection, outcome: str, own_firewall: str, facts: NetworkFacts
) -> tuple[str, str]:
    """Return why a blocked connection matters, and what to do.

    ``own_firewall`` alone may block it; empty: another one does.
    """
    if own_firewall:
        command = firewall.open_port_command(
            own_firewall, connection.port_range("-"), connection.port_range(":")
        )
        return (
            f"{own_firewall} on {connection.target} blocks programs on the host. Docker's published "
            "ports usually bypass it, so the connection may work.",
            f"To be certain, on {connection.target}: {command}. Or accept this.",
        )
    why = f"Services on {connection.source} cannot reach {connection.target}."
    node_firewall = facts.firewalls.get(connection.target)
    if node_firewall and not node_firewall.read:
        why += f" The firewall rules of {connection.target} could not be read."
    elif rule := forwarding_rule(topology, connection, facts):
        why += f" A rule that may block traffic to containers there: {safe_line(rule)}."
    return why, _hint(topology, connection, outcome)
