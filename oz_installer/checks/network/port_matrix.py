"""The port matrix: whether every node reaches every other where the layout's wiring wants it.

Before anything of Oz listens, a small program does on each target, for the seconds of this check (see
``listener.py``); where Oz runs already, its own ports are tried. Packets to a plain listener pass the node's
INPUT chain, those to a port that Docker publishes FORWARD and DOCKER-USER instead: rules for these alone are
read (see ``forwarding.py``), and what blocks here in INPUT alone, Docker's own rules may let through later:
where the target's own firewall is why, it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import InstallationCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.network import firewall
from oz_installer.checks.network.listener import CONNECT_SECONDS
from oz_installer.checks.network.port_probe import (
    NO_SESSION,
    Connection,
    NetworkFacts,
    blocked_reason,
    port_range,
    probe_connections,
    required_connections,
)
from oz_installer.checks.runner import unreachable_finding
from oz_installer.text import join_and, plural, safe_line
from oz_installer.topology.model import Topology

_FEW_SESSIONS = (
    "Does sshd there allow few sessions (MaxSessions in sshd_config; 10 is usual), or is the node overloaded "
    "(uptime)? Raise it, or wait until the load is gone, then check again; or accept this."
)


class PortMatrixCheck(InstallationCheck[NetworkFacts]):
    """All targets listen at once, then all sources connect at once."""

    name = "network"
    title = "Network"

    def probe(self, context: CheckContext) -> NetworkFacts:
        """What answers is judged, whatever others do."""
        if context.topology is None or not (all_ways := required_connections(context.topology)):
            return NetworkFacts()
        return probe_connections(context, context.topology, all_ways)

    def judge(self, context: CheckContext, facts: NetworkFacts) -> Iterator[Finding]:
        """What is blocked, one by one; how many are open, by source; what could not be tried, by target."""
        if context.topology is None:
            return
        found = required_connections(context.topology)
        for node in context.nodes:
            mine = [way for way in found if way.source == node.name]
            stopped = {way.name: _forwarding(context.topology, way, facts) for way in mine}
            is_open = [way for way in mine if _all_open(way, facts) and not stopped[way.name]]
            if is_open:
                yield self._open(context, node, is_open, facts)
            for way in mine:
                blocked = list(self._blocked(context, context.topology, node, way, facts))
                yield from blocked
                if stopped[way.name] and not blocked:
                    yield self._stopped(context.topology, node, way, stopped[way.name])
        yield from (
            unreachable_finding(node, facts.unreached[node.name])
            for node in context.nodes
            if node.name in facts.unreached
        )
        for target in context.topology.nodes:
            why, missed = _untried(context, target.name, found, facts), _missed(target.name, found, facts)
            if why and missed:
                node = context.node(target.name) or CheckedNode(name=target.name, roles=target.roles)
                yield self._not_tried(
                    context, node, f"connections {missed} {target.name} were not tried", why
                )

    def _open(
        self, context: CheckContext, node: CheckedNode, is_open: Sequence[Connection], facts: NetworkFacts
    ) -> Finding:
        targets = tuple(dict.fromkeys(way.target for way in is_open))
        seen = f"{plural(len(is_open), 'connection')} to {plural(len(targets), 'other node')}"
        blind = [
            name
            for name in targets
            if any(way.target == name and not _runs(way, facts) for way in is_open)
            and ((wall := facts.firewalls.get(name)) is None or wall.gates is None)
        ]
        if not blind or not ENGINES[context.answers.engine].publishes_past_firewall:
            return self.finding(node, "ok", seen)
        seen += f"; forwarding to containers was not looked at on {', '.join(blind)} (its rules need root)"
        hint = "Only root can read them: see become in the answers, and DOCKER-USER and FORWARD there."
        return self.finding(node, "ok", seen, hint_when_ok=hint)

    def _stopped(self, topology: Topology, node: CheckedNode, way: Connection, rule: str) -> Finding:
        source, first = topology.node(way.source).address, _inside(topology, way, way.port)
        last = way.last and first + way.last - way.port
        passing = firewall.allow_forward_command(
            rule, source, port_range(first, last, "-"), port_range(first, last, ":")
        )
        return self.finding(
            node,
            "warning",
            f"{way.name}, for {way.purpose}: a firewall rule of {way.target} may stop it: {safe_line(rule)}",
            about=f"forward-{way.port}",
            target=way.target,
            needed=f"a TCP connection (wiring of layout {topology.layout})",
            why="It does not stop a plain program there, but what is forwarded to containers, as Docker's "
            "published ports are.",
            hint=f"On {way.target}, delete that rule, or put before it: {passing}. Or accept this.",
        )

    def _blocked(
        self,
        context: CheckContext,
        topology: Topology,
        node: CheckedNode,
        way: Connection,
        facts: NetworkFacts,
    ) -> Iterator[Finding]:
        ends = {port: end for port in way.ports if (end := blocked_reason(way, port, facts))}
        if not ends:
            return
        worst = next((end for end in ends.values() if end == "late"), next(iter(ends.values())))
        ports = "" if len(way.ports) == 1 else f"{', '.join(str(port) for port in ends)}: "
        why, hint = (
            f"What runs on {way.source} would wait for {way.target} in vain.",
            _hint(topology, way, worst),
        )
        wall = facts.firewalls.get(way.target)
        own = _own_firewall(context, topology, way, tuple(ends), facts)
        if own:
            why = (
                f"{own} of {way.target} itself stops a plain program there. Docker's published ports usually "
                "pass it, so it may work."
            )
            command = firewall.open_port_command(
                own, port_range(way.port, way.last, "-"), port_range(way.port, way.last, ":")
            )
            hint = f"To be certain, on {way.target}: {command}. Or accept this."
        elif wall and not wall.read:
            why += f" The firewall rules of {way.target} could not be read."
        elif rule := _forwarding(topology, way, facts):
            why += f" One rule that may stop what is for containers there: {safe_line(rule)}."
        yield self.finding(
            node,
            "warning" if own else "failure",
            f"{way.name}, for {way.purpose}: {ports}{_words(worst)}",
            about=str(way.port),
            target=way.target,
            needed=f"a TCP connection (wiring of layout {topology.layout})",
            why=why,
            hint=hint,
        )

    def _not_tried(self, context: CheckContext, node: CheckedNode, what: str, why: str) -> Finding:
        if context.node(node.name) is None:  # that was asked for
            return self.finding(node, "ok", f"{what}: {why}", about="untried")
        return self.finding(
            node,
            "warning",
            f"{what}: {why}",
            about="untried",
            why="A firewall would show only when the services start.",
            hint=_FEW_SESSIONS if why == NO_SESSION else "Mend that and check again, or accept this.",
        )


def _all_open(way: Connection, facts: NetworkFacts) -> bool:
    return all(facts.outcomes.get((way.source, way.target, port)) == "open" for port in way.ports)


def _runs(way: Connection, facts: NetworkFacts) -> bool:
    """Whether the connection was made with what is to be there, and not with our listener."""
    return _all_open(way, facts) and all(facts.ports.get((way.target, one)) == "taken" for one in way.ports)


def _forwarding(topology: Topology, way: Connection, facts: NetworkFacts) -> str:
    """The target's rule that may stop what is forwarded to a container; empty where none does, none was read,
    or the container itself answered."""
    wall = facts.firewalls.get(way.target)
    if wall is None or wall.gates is None or _runs(way, facts):
        return ""
    source = topology.node(way.source).address
    for port in range(way.port, (way.last or way.port) + 1):
        if rule := wall.blocks_published(source, port, _inside(topology, way, port)):
            return rule
    return ""


def _inside(topology: Topology, way: Connection, port: int) -> int:
    """The container's port behind a published one."""
    published = [one for placed in topology.node(way.target).services for one in placed.ports]
    kind = next((one for one in published if one.host <= port <= (one.last or one.host)), None)
    return kind.container + port - kind.host if kind else port


def _own_firewall(
    context: CheckContext, topology: Topology, way: Connection, ports: Sequence[int], facts: NetworkFacts
) -> str:
    """The target's firewall where it alone may be what blocks all these ports, and Docker's would pass it;
    what listens already, and is not reached, is blocked whatever the rules say."""
    wall = facts.firewalls.get(way.target)
    if not ENGINES[context.answers.engine].publishes_past_firewall or wall is None or not wall.read:
        return ""
    if _forwarding(topology, way, facts):
        return ""
    if any(facts.ports.get((way.target, port)) == "taken" for port in ports):
        return ""
    names = [wall.blocks(port) for port in ports]
    return names[0] if all(names) else ""


def _missed(name: str, found: Sequence[Connection], facts: NetworkFacts) -> str:
    """The directions in which a node's connections say nothing, if they do not; empty where it has none. One
    that takes no part does not connect either."""
    absent = name in facts.slow or name in facts.no_answer
    directions = {
        "to": any(way.target == name for way in found),
        "from": absent and any(way.source == name for way in found),
    }
    return join_and(word for word, some in directions.items() if some)


def _untried(context: CheckContext, target: str, found: Sequence[Connection], facts: NetworkFacts) -> str:
    """Why connections of a node say nothing; empty where they do, or where other checks tell why."""
    if target in facts.slow:
        return facts.slow[target]
    if target in facts.no_answer:
        return f"the program that should listen there said: {facts.no_answer[target]}"
    refused = [
        port
        for way in found
        if way.target == target
        for port in way.ports
        if facts.outcomes.get((way.source, target, port)) == "refused"
    ]
    if context.node(target) is None:
        return "--limit leaves it out, and nothing listens there yet" if refused else ""
    states = [facts.ports.get((target, port), "") for port in refused]
    if "none" in states:
        return "it has no python3 to listen with"
    if denied := next((state for state in states if state.startswith("denied ")), ""):
        return f"this login may not listen there: {denied.removeprefix('denied ')}"
    if any(end == "none" for (_, other, _), end in facts.outcomes.items() if other == target):
        return "there is neither python3 nor bash to connect with"
    return ""


def _words(end: str) -> str:
    if end == "late":
        return f"no answer within {CONNECT_SECONDS} s"
    return "refused, although something listens" if end == "refused" else end.removeprefix("other ")


def _hint(topology: Topology, way: Connection, end: str) -> str:
    """What to open on which machine."""
    dash, colon = port_range(way.port, way.last, "-"), port_range(way.port, way.last, ":")
    opening = (
        f"ufw allow {colon}/tcp; or firewall-cmd --permanent --add-port={dash}/tcp, then firewall-cmd "
        f"--reload; or in nftables: tcp dport {dash} accept"
    )
    if end == "late":
        return (
            f"A firewall drops it. On {way.target}: {opening}. Look at firewalls and security groups between "
            f"the two, and at rules for what leaves {way.source}, too."
        )
    if end == "refused":
        return f"The firewall of {way.target} rejects it. There: {opening}."
    address = topology.node(way.target).address
    return (
        f"Does {way.source} know a way to {address} (getent hosts {address}; ip route get {address})? If so, "
        f"the firewall of {way.target} rejects it. There: {opening}."
    )
