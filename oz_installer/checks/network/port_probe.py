"""Asks nodes for the port matrix: opens listeners, lets them connect, reads the firewalls that block.

Nodes are waited for together: one that is silent, or slow to let us in, leaves the others their time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from functools import partial

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.context import CheckContext
from oz_installer.checks.network import firewall
from oz_installer.checks.network.firewall import NodeFirewall
from oz_installer.checks.network.listener import CONNECT_SECONDS, Listener
from oz_installer.errors import ConnectError
from oz_installer.remote.parallel import start_all
from oz_installer.remote.transport import Transport
from oz_installer.text import join_and
from oz_installer.topology.model import Topology

REACH_SECONDS = 5.0
"""Who is not connected to by then is not tried."""
NO_SESSION = "it opens no session in time"

_OPEN_SECONDS = 4.0
_SHORTEST_SECONDS = 1.0
_READY_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_WALL_SECONDS = 3.0
# Since the beginning, whatever comes together: the runner gives up on the whole at 15 s.
_OPENED_AT = 7.5
_READY_AT = 9.0
_TRIED_AT = 13.2
_CLOSED_AT = 13.8
_WALLS_AT = 14.3
_UNREACHED_AT = 10.5


@dataclass(frozen=True, kw_only=True)
class Connection:
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
        return f"{self.source} → {self.target} tcp/{port_range(self.port, self.last, '-')}"


@dataclass(frozen=True, kw_only=True)
class NetworkFacts:
    """How each port is on its target (see ``Listener.ports``; missing where the target was not asked), how
    each connection ended (see ``Listener.outcomes``), by source, target and port, those of a target with
    itself where its port is taken; what nodes said that could not be asked; why others were not waited for;
    those that cannot be reached; and the firewalls of the targets."""

    ports: Mapping[tuple[str, int], str] = field(default_factory=dict)
    outcomes: Mapping[tuple[str, str, int], str] = field(default_factory=dict)
    no_answer: Mapping[str, str] = field(default_factory=dict)
    slow: Mapping[str, str] = field(default_factory=dict)
    unreached: Mapping[str, ConnectError] = field(default_factory=dict)
    firewalls: Mapping[str, NodeFirewall] = field(default_factory=dict)


def required_connections(topology: Topology) -> tuple[Connection, ...]:
    """What nodes open on each other, each port once, in the topology's order."""
    names = {node.name for node in topology.nodes}
    found: dict[tuple[str, str, int, int | None], list[str]] = {}
    for edge in topology.edges:
        if edge.source != edge.target and {edge.source, edge.target} <= names:
            place = (edge.source, edge.target, edge.port, edge.last_port)
            found.setdefault(place, []).append(edge.purpose)
    return tuple(
        Connection(
            source=source, target=target, port=port, last=last, purpose=join_and(dict.fromkeys(purposes))
        )
        for (source, target, port, last), purposes in found.items()
    )


def probe_connections(
    context: CheckContext, topology: Topology, all_ways: Sequence[Connection]
) -> NetworkFacts:
    """All targets listen at once, then all sources connect at once."""
    began = time.monotonic()
    names = [node.name for node in context.nodes if any(node.name in (w.source, w.target) for w in all_ways)]
    connecting = start_all(names, context.transport, name="network")
    wait(connecting.values(), timeout=REACH_SECONDS)
    reached = {name: future for name, future in connecting.items() if future.done()}
    opening = _Opening(all_ways, {name: one.result() for name, one in reached.items() if not _error(one)})
    try:
        listeners = opening.until(began + _OPENED_AT)
        facts = _tried(topology, all_ways, listeners, context, began)
    finally:
        opening.close(min(time.monotonic() + _CLOSE_SECONDS, began + _CLOSED_AT))
    # only now: with MaxSessions 1 the listener had the only session
    until = min(time.monotonic() + _WALL_SECONDS, began + _WALLS_AT)
    walls = _walls(context, topology, all_ways, tuple(listeners), until)
    wait(connecting.values(), timeout=max(0.0, began + _UNREACHED_AT - time.monotonic()))
    unreached = {name: error for name, one in connecting.items() if one.done() and (error := _error(one))}
    late = [name for name in connecting if name not in reached and name not in unreached]
    slow = dict.fromkeys(late, f"connecting to it takes more than {REACH_SECONDS:g} s")
    slow |= dict.fromkeys(opening.waiting, NO_SESSION)
    return replace(facts, slow=slow, unreached=unreached, firewalls=walls)


def _error(future: Future[Transport]) -> ConnectError | None:
    """Why it could not be reached. Raises what is a fault of ours."""
    error = future.exception()
    if error is None or isinstance(error, ConnectError):
        return error
    raise error


class _Opening:
    """Opens listeners in the order of the nodes (see ``Listener``); one that takes its time holds up the
    next ones for a moment only, and is closed as soon as it opens once nobody waits for it any more."""

    def __init__(self, all_ways: Sequence[Connection], transports: Mapping[str, Transport]) -> None:
        self.waiting: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._over = False
        self._opened: dict[str, Listener] = {}
        self._transports = transports
        self._ports = {
            name: tuple(dict.fromkeys(port for way in all_ways if way.target == name for port in way.ports))
            for name in transports
        }

    def until(self, deadline: float) -> Mapping[str, Listener]:
        """Those that are open by then (of the monotonic clock); nodes that are lost meanwhile are left out:
        other checks tell of them."""
        until = time.monotonic() + _OPEN_SECONDS
        futures: dict[str, Future[None]] = {}
        for name in self._transports:
            patience = max(_SHORTEST_SECONDS, until - time.monotonic())
            futures |= start_all([name], partial(self._open, timeout=patience), name="listen")
            wait([futures[name]], timeout=max(0.0, min(patience, deadline - time.monotonic())))
        wait(futures.values(), timeout=max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._over = True
        self.waiting = tuple(name for name, future in futures.items() if not future.done())
        for future in futures.values():
            if future.done() and not isinstance(future.exception(), ConnectError):
                future.result()
        return {name: self._opened[name] for name in self._transports if name in self._opened}

    def _open(self, name: str, timeout: float) -> None:
        listener = Listener(self._transports[name], self._ports[name], timeout=timeout)
        with self._lock:
            if not self._over:
                self._opened[name] = listener
                return
        listener.close(time.monotonic() + _CLOSE_SECONDS)

    def close(self, until: float) -> None:
        """Wait until nothing listens any more, those that open later too."""
        with self._lock:
            self._over = True
        for listener in self._opened.values():
            listener.close(until)


def _tried(
    topology: Topology,
    all_ways: Sequence[Connection],
    listeners: Mapping[str, Listener],
    context: CheckContext,
    began: float,
) -> NetworkFacts:
    """Once everything listens, connect. What a run leaves out is tried too: something may listen there."""
    until = min(time.monotonic() + _READY_SECONDS, began + _READY_AT)
    ready = {name: one for name, one in listeners.items() if one.ready(until)}
    silent = {name: one.last_message or "no answer" for name, one in listeners.items() if name not in ready}
    reached = {*ready, *(node.name for node in topology.nodes if context.node(node.name) is None)}
    places = {
        name: [(way.target, port) for way in all_ways if way.source == name for port in way.ports]
        for name in ready
    }
    places = {name: [one for one in some if one[0] in reached] for name, some in places.items()}
    for name, listener in ready.items():
        places[name] += [(name, port) for port, state in listener.ports.items() if state == "taken"]
        listener.connect([(topology.node(target).address, port) for target, port in places[name]])
    until = min(time.monotonic() + CONNECT_SECONDS + 2, began + _TRIED_AT)
    outcomes: dict[tuple[str, str, int], str] = {}
    for name, listener in ready.items():
        for number, end in listener.outcomes(until).items():
            outcomes[(name, *places[name][number])] = end
    ports = {(name, port): state for name, one in ready.items() for port, state in one.ports.items()}
    return NetworkFacts(ports=ports, outcomes=outcomes, no_answer=silent)


def blocked_reason(way: Connection, port: int, facts: NetworkFacts) -> str:
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


def _walls(
    context: CheckContext,
    topology: Topology,
    all_ways: Sequence[Connection],
    asked: Sequence[str],
    until: float,
) -> dict[str, NodeFirewall]:
    """Of each target among those; what does not answer in time has read nothing."""
    if not ENGINES[context.answers.engine].publishes_past_firewall:
        return {}
    others = {
        name: tuple(
            dict.fromkeys(topology.node(way.source).address for way in all_ways if way.target == name)
        )
        for name in asked
    }
    names = [name for name in asked if others[name]]
    futures = start_all(
        names, lambda name: firewall.read_firewall(context.transport, name, others[name]), name="firewall"
    )
    wait(futures.values(), timeout=max(0.0, until - time.monotonic()))
    return {name: future.result() if future.done() else NodeFirewall() for name, future in futures.items()}


def port_range(first: int, last: int | None, sign: str) -> str:
    return str(first) if last is None else f"{first}{sign}{last}"
