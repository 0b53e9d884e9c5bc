"""The check of the port matrix: all connections between nodes that the layout needs.

Before Oz is installed, a small program listens on each target during this check (see ``listener.py``); where
Oz runs, its own ports are tried. Packets to a plain listener pass the INPUT chain; packets to a port that
Docker publishes pass FORWARD and DOCKER-USER instead, whose rules are therefore read (see ``forwarding.py``).
A port that only INPUT blocks may work with Docker, so a target's own firewall is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import InstallationCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.network import firewall
from oz_installer.checks.network.blocked_connection import (
    advice,
    all_open,
    container_port,
    forwarding_rule,
    listens_already,
    outcome_text,
    own_firewall_of,
)
from oz_installer.checks.network.port_probe import (
    NO_SESSION,
    NetworkFacts,
    ProbedConnection,
    blocked_reason,
    port_range,
    probe_connections,
    required_connections,
)
from oz_installer.checks.runner import unreachable_finding
from oz_installer.text import join_and, plural, safe_line
from oz_installer.topology.model import Topology

_FEW_SESSIONS = (
    "Check MaxSessions in sshd_config on the node (10 is usual) and its load (uptime). Raise the limit, or "
    "wait until the load is gone, then check again; or accept this."
)


class PortMatrixCheck(InstallationCheck[NetworkFacts]):
    """Listen on all targets, then connect from all sources, in parallel."""

    name = "network"
    title = "Network"

    def probe(self, context: CheckContext) -> NetworkFacts:
        """Try all connections between nodes that answer."""
        if context.topology is None or not (connections := required_connections(context.topology)):
            return NetworkFacts()
        return probe_connections(context, context.topology, connections)

    def judge(self, context: CheckContext, facts: NetworkFacts) -> Iterator[Finding]:
        """Report blocked connections one by one, open ones by source, and untried ones by target."""
        if context.topology is None:
            return
        wanted = required_connections(context.topology)
        for node in context.nodes:
            mine = [one for one in wanted if one.source == node.name]
            blocked_by = {one.name: forwarding_rule(context.topology, one, facts) for one in mine}
            is_open = [one for one in mine if all_open(one, facts) and not blocked_by[one.name]]
            if is_open:
                yield self._open(context, node, is_open, facts)
            for connection in mine:
                blocked = list(self._blocked(context, context.topology, node, connection, facts))
                yield from blocked
                if blocked_by[connection.name] and not blocked:
                    yield self._forward_blocked(
                        context.topology, node, connection, blocked_by[connection.name]
                    )
        yield from (
            unreachable_finding(node, facts.unreached[node.name])
            for node in context.nodes
            if node.name in facts.unreached
        )
        for target in context.topology.nodes:
            reason = _untried(context, target.name, wanted, facts)
            missed = _missed(target.name, wanted, facts)
            if reason and missed:
                node = context.node(target.name) or CheckedNode(name=target.name, roles=target.roles)
                yield self._not_tried(
                    context, node, f"connections {missed} {target.name} were not tried", reason
                )

    def _open(
        self,
        context: CheckContext,
        node: CheckedNode,
        is_open: Sequence[ProbedConnection],
        facts: NetworkFacts,
    ) -> Finding:
        targets = tuple(dict.fromkeys(connection.target for connection in is_open))
        seen = f"{plural(len(is_open), 'connection')} to {plural(len(targets), 'other node')}"
        unread = [
            name
            for name in targets
            if any(
                connection.target == name and not listens_already(connection, facts) for connection in is_open
            )
            and ((node_firewall := facts.firewalls.get(name)) is None or node_firewall.forward_chains is None)
        ]
        if not unread or not ENGINES[context.answers.engine].publishes_past_firewall:
            return self.finding(node, "ok", seen)
        seen += f"; forwarding to containers was not checked on {', '.join(unread)} (its rules need root)"
        hint = (
            "Set become in the answers so that root reads the rules, or check DOCKER-USER and FORWARD there."
        )
        return self.finding(node, "ok", seen, hint_when_ok=hint)

    def _forward_blocked(
        self, topology: Topology, node: CheckedNode, connection: ProbedConnection, rule: str
    ) -> Finding:
        source, first = (
            topology.node(connection.source).address,
            container_port(topology, connection, connection.port),
        )
        last = connection.last and first + connection.last - connection.port
        allow = firewall.allow_forward_command(
            rule, source, port_range(first, last, "-"), port_range(first, last, ":")
        )
        return self.finding(
            node,
            "warning",
            f"{connection.name}, for {connection.purpose}: "
            f"a firewall rule of {connection.target} may block it: {safe_line(rule)}",
            about=f"forward-{connection.port}",
            target=connection.target,
            needed=f"a TCP connection (wiring of layout {topology.layout})",
            why="The rule does not affect programs on the host, but it blocks traffic that is forwarded to "
            "containers (Docker's published ports).",
            hint=f"On {connection.target}, delete that rule, or insert before it: {allow}. Or accept this.",
        )

    def _blocked(
        self,
        context: CheckContext,
        topology: Topology,
        node: CheckedNode,
        connection: ProbedConnection,
        facts: NetworkFacts,
    ) -> Iterator[Finding]:
        outcomes = {one: end for one in connection.ports if (end := blocked_reason(connection, one, facts))}
        if not outcomes:
            return
        worst = next((end for end in outcomes.values() if end == "late"), next(iter(outcomes.values())))
        ports = "" if len(connection.ports) == 1 else f"{', '.join(str(port) for port in outcomes)}: "
        own_firewall = own_firewall_of(context, topology, connection, tuple(outcomes), facts)
        why, hint = advice(topology, connection, worst, own_firewall, facts)
        yield self.finding(
            node,
            "warning" if own_firewall else "failure",
            f"{connection.name}, for {connection.purpose}: {ports}{outcome_text(worst)}",
            about=str(connection.port),
            target=connection.target,
            needed=f"a TCP connection (wiring of layout {topology.layout})",
            why=why,
            hint=hint,
        )

    def _not_tried(self, context: CheckContext, node: CheckedNode, what: str, reason: str) -> Finding:
        if context.node(node.name) is None:  # left out on purpose, by --limit
            return self.finding(node, "ok", f"{what}: {reason}", about="untried")
        return self.finding(
            node,
            "warning",
            f"{what}: {reason}",
            about="untried",
            why="A firewall that blocks them would show only when the services start.",
            hint=_FEW_SESSIONS if reason == NO_SESSION else "Fix this and check again, or accept this.",
        )


def _missed(name: str, wanted: Sequence[ProbedConnection], facts: NetworkFacts) -> str:
    """Return the directions ("to", "from") of a node's untried connections; empty without any.

    A node that takes no part in the check does not connect either."""
    absent = name in facts.slow or name in facts.no_answer
    directions = {
        "to": any(connection.target == name for connection in wanted),
        "from": absent and any(connection.source == name for connection in wanted),
    }
    return join_and(word for word, some in directions.items() if some)


def _untried(
    context: CheckContext, target: str, wanted: Sequence[ProbedConnection], facts: NetworkFacts
) -> str:
    """Return why a node's connections were not tried; empty if tried or reported elsewhere."""
    if target in facts.slow:
        return facts.slow[target]
    if target in facts.no_answer:
        return f"the listener on the node failed: {facts.no_answer[target]}"
    refused = [
        port
        for connection in wanted
        if connection.target == target
        for port in connection.ports
        if facts.outcomes.get((connection.source, target, port)) == "refused"
    ]
    if context.node(target) is None:
        return "--limit leaves it out, and nothing listens there yet" if refused else ""
    states = [facts.ports.get((target, port), "") for port in refused]
    if "none" in states:
        return "it has no python3 to listen with"
    if denied := next((state for state in states if state.startswith("denied ")), ""):
        return f"this login may not listen on the port: {denied.removeprefix('denied ')}"
    if any(end == "none" for (_, other, _), end in facts.outcomes.items() if other == target):
        return "it has neither python3 nor bash to connect with"
    return ""
