"""The port matrix: whether every node reaches every other where the layout's wiring wants it.

Before anything of Oz listens, a small program does on each target, for the seconds of this check (see
``listening.py``); where Oz runs already, its own ports are tried. Packets to a plain listener pass the node's
INPUT chain, those to a port that Docker publishes FORWARD and DOCKER-USER instead: rules for these alone show
only once Oz runs, and what blocks here in INPUT alone, Docker's own rules may let through later: where the
target's own firewall is why, it is a warning.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from oz_installer.checks import firewall
from oz_installer.checks.check import Survey
from oz_installer.checks.firewall import Wall
from oz_installer.checks.listening import CONNECT_SECONDS, Listener
from oz_installer.checks.model import Finding, Site, Spot
from oz_installer.checks.text import count
from oz_installer.errors import ConnectError
from oz_installer.topology.model import Topology

_OPEN_SECONDS = 4.0
_SHORTEST_SECONDS = 1.0
_READY_SECONDS = 5.0
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Way:
    """What one node opens on another. ``ports`` are those that are tried: of a range the first, the middle
    and the last."""

    source: str
    target: str
    port: int
    last: int | None
    purpose: str

    @property
    def ports(self) -> tuple[int, ...]:
        """Each once."""
        last = self.last or self.port
        return tuple(dict.fromkeys((self.port, (self.port + last) // 2, last)))

    @property
    def name(self) -> str:
        """``api1 → bio2 tcp/8501``."""
        return f"{self.source} → {self.target} tcp/{_span(self.port, self.last, '-')}"


@dataclass(frozen=True, kw_only=True)
class NetworkFacts:
    """How each port is on its target (see ``Listener.ports``; missing where the target was not asked), how
    each connection ended (see ``Listener.outcomes``), by source, target and port, those of a target with
    itself where its port is taken; what nodes said that could not be asked; and the firewalls of the targets
    that something is blocked to."""

    ports: Mapping[tuple[str, int], str] = field(default_factory=dict)
    outcomes: Mapping[tuple[str, str, int], str] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    walls: Mapping[str, Wall] = field(default_factory=dict)


class Network(Survey[NetworkFacts]):
    """All targets listen at once, then all sources connect at once."""

    name = "network"
    title = "Network"

    def probe(self, site: Site) -> NetworkFacts:
        """Nodes that cannot be reached are left out: other checks tell of them."""
        if site.topology is None or not (all_ways := ways(site.topology)):
            return NetworkFacts()
        listeners: dict[str, Listener] = {}
        until = time.monotonic() + _OPEN_SECONDS
        try:
            for spot in site.spots:
                mine = dict.fromkeys(
                    port for way in all_ways if way.target == spot.name for port in way.ports
                )
                if mine or any(way.source == spot.name for way in all_ways):
                    timeout = max(_SHORTEST_SECONDS, until - time.monotonic())
                    with contextlib.suppress(ConnectError):
                        listener = Listener(site.reach(spot.name), tuple(mine), timeout=timeout)
                        listeners[spot.name] = listener
            facts = _tried(site.topology, all_ways, listeners, site)
        finally:
            until = time.monotonic() + _CLOSE_SECONDS
            for listener in listeners.values():
                listener.close(until)
        # only now: with MaxSessions 1 the listener had the only session
        return replace(facts, walls=_walls(site, all_ways, facts))

    def judge(self, site: Site, facts: NetworkFacts) -> Iterator[Finding]:
        """What is blocked, one by one; how many are open, by source; what could not be tried, by target."""
        if site.topology is None:
            return
        found = ways(site.topology)
        for spot in site.spots:
            mine = [way for way in found if way.source == spot.name]
            is_open = [way for way in mine if _all_open(way, facts)]
            if is_open:
                targets = len({way.target for way in is_open})
                seen = f"{count(len(is_open), 'connection')} to {count(targets, 'other node')}"
                yield self.finding(spot, "ok", seen)
            for way in mine:
                yield from self._blocked(site, site.topology, spot, way, facts)
        for node in site.topology.nodes:
            if why := _untried(site, node.name, found, facts):
                spot = site.spot(node.name) or Spot(name=node.name, roles=node.roles)
                yield self._not_tried(site, spot, why)

    def _blocked(
        self, site: Site, topology: Topology, spot: Spot, way: Way, facts: NetworkFacts
    ) -> Iterator[Finding]:
        ends = {port: end for port in way.ports if (end := _blocking(way, port, facts))}
        if not ends:
            return
        worst = next((end for end in ends.values() if end == "late"), next(iter(ends.values())))
        ports = "" if len(way.ports) == 1 else f"{', '.join(str(port) for port in ends)}: "
        why, hint = (
            f"What runs on {way.source} would wait for {way.target} in vain.",
            _hint(topology, way, worst),
        )
        wall = facts.walls.get(way.target)
        own = _own_firewall(site, way, tuple(ends), facts)
        if own:
            why = (
                f"{own} of {way.target} itself stops a plain program there. Docker's published ports usually "
                "pass it, so it may work."
            )
            command = firewall.opening(own, _span(way.port, way.last, "-"), _span(way.port, way.last, ":"))
            hint = f"To be certain, on {way.target}: {command}. Or accept this."
        elif wall and not wall.read:
            why += f" The firewall rules of {way.target} could not be read."
        yield self.finding(
            spot,
            "warning" if own else "failure",
            f"{way.name}, for {way.purpose}: {ports}{_words(worst)}",
            about=str(way.port),
            target=way.target,
            needed=f"a TCP connection (wiring of layout {topology.layout})",
            why=why,
            hint=hint,
        )

    def _not_tried(self, site: Site, spot: Spot, why: str) -> Finding:
        if site.spot(spot.name) is None:  # that was asked for
            seen = f"connections to {spot.name} were not tried: {why}"
            return self.finding(spot, "ok", seen, about="untried")
        return self.finding(
            spot,
            "warning",
            f"connections to {spot.name} were not tried: {why}",
            about="untried",
            why="A firewall would show only when the services start.",
            hint="Mend that and check again, or accept this.",
        )


def ways(topology: Topology) -> tuple[Way, ...]:
    """What nodes open on each other, each port once, in the topology's order."""
    names = {node.name for node in topology.nodes}
    found: dict[tuple[str, str, int, int | None], list[str]] = {}
    for edge in topology.edges:
        if edge.source != edge.target and {edge.source, edge.target} <= names:
            place = (edge.source, edge.target, edge.port, edge.last_port)
            found.setdefault(place, []).append(edge.purpose)
    return tuple(
        Way(source=source, target=target, port=port, last=last, purpose=" and ".join(dict.fromkeys(purposes)))
        for (source, target, port, last), purposes in found.items()
    )


def _tried(
    topology: Topology, all_ways: Sequence[Way], listeners: Mapping[str, Listener], site: Site
) -> NetworkFacts:
    """Once everything listens, connect. What a run leaves out is tried too: something may listen there."""
    until = time.monotonic() + _READY_SECONDS
    ready = {name: one for name, one in listeners.items() if one.ready(until)}
    silent = {name: one.words or "no answer" for name, one in listeners.items() if name not in ready}
    reached = {*ready, *(node.name for node in topology.nodes if site.spot(node.name) is None)}
    places = {
        name: [(way.target, port) for way in all_ways if way.source == name for port in way.ports]
        for name in ready
    }
    places = {name: [one for one in some if one[0] in reached] for name, some in places.items()}
    for name, listener in ready.items():
        places[name] += [(name, port) for port, state in listener.ports.items() if state == "taken"]
        listener.connect([(topology.node(target).address, port) for target, port in places[name]])
    until = time.monotonic() + CONNECT_SECONDS + 2
    outcomes: dict[tuple[str, str, int], str] = {}
    for name, listener in ready.items():
        for number, end in listener.outcomes(until).items():
            outcomes[(name, *places[name][number])] = end
    ports = {(name, port): state for name, one in ready.items() for port, state in one.ports.items()}
    return NetworkFacts(ports=ports, outcomes=outcomes, silent=silent)


def _all_open(way: Way, facts: NetworkFacts) -> bool:
    return all(facts.outcomes.get((way.source, way.target, port)) == "open" for port in way.ports)


def _blocking(way: Way, port: int, facts: NetworkFacts) -> str:
    """How a connection ended that a firewall, or the lack of a way, has stopped; empty where nothing has.

    A refusal proves that only where somebody listens: an engine holds published ports also while nothing
    listens in the container, as in the updater's passive range; that the target itself is let in tells.
    """
    end = facts.outcomes.get((way.source, way.target, port), "")
    if end == "refused":
        listens = facts.ports.get((way.target, port)) == "ready"
        listens |= facts.outcomes.get((way.target, way.target, port)) == "open"
        return end if listens else ""
    return end if end == "late" or end.startswith("other ") else ""


def _walls(site: Site, all_ways: Sequence[Way], facts: NetworkFacts) -> dict[str, Wall]:
    """Of each target that something is blocked to."""
    if site.answers.engine != "docker":
        return {}
    blocked = {way.target for way in all_ways for port in way.ports if _blocking(way, port, facts)}
    return {spot.name: firewall.ask(site.reach, spot.name) for spot in site.spots if spot.name in blocked}


def _own_firewall(site: Site, way: Way, ports: Sequence[int], facts: NetworkFacts) -> str:
    """The target's firewall where it alone may be what blocks all these ports, and Docker's would pass it;
    what listens already, and is not reached, is blocked whatever the rules say."""
    wall = facts.walls.get(way.target)
    if site.answers.engine != "docker" or wall is None or not wall.read or wall.stops_docker:
        return ""
    if any(facts.ports.get((way.target, port)) == "taken" for port in ports):
        return ""
    names = [wall.stops(port) for port in ports]
    return names[0] if all(names) else ""


def _untried(site: Site, target: str, found: Sequence[Way], facts: NetworkFacts) -> str:
    """Why connections to a node say nothing; empty where they do, or where other checks tell why."""
    if target in facts.silent:
        return f"the program that should listen there said: {facts.silent[target]}"
    refused = [
        port
        for way in found
        if way.target == target
        for port in way.ports
        if facts.outcomes.get((way.source, target, port)) == "refused"
    ]
    if site.spot(target) is None:
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


def _hint(topology: Topology, way: Way, end: str) -> str:
    """What to open on which machine."""
    dash, colon = _span(way.port, way.last, "-"), _span(way.port, way.last, ":")
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


def _span(first: int, last: int | None, sign: str) -> str:
    return str(first) if last is None else f"{first}{sign}{last}"
