"""The probe of the port matrix: open listeners, connect to them, read firewalls.

All nodes are waited for together, so one that is silent or slow does not use up the others' time.
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
"""Time limit for connecting to a node; a slower one takes no part."""
NO_SESSION = "it opens no session in time"

_OPEN_SECONDS = 4.0
_SHORTEST_SECONDS = 1.0
_READY_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_FIREWALL_SECONDS = 3.0
# Deadlines in seconds since the start; the runner abandons the whole check at 15 s.
_OPENED_AT = 7.5
_READY_AT = 9.0
_TRIED_AT = 13.2
_CLOSED_AT = 13.8
_FIREWALLS_AT = 14.3
_UNREACHED_AT = 10.5


@dataclass(frozen=True, kw_only=True)
class ProbedConnection:
    """A connection that one node opens to another. ``ports`` are the ports to try.

    Of a range these are the first, the middle and the last."""

    source: str
    target: str
    port: int
    last: int | None
    purpose: str

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports to try, each once."""
        last = self.last or self.port
        return tuple(dict.fromkeys((self.port, (self.port + last) // 2, last)))

    @property
    def name(self) -> str:
        """The name of the connection: ``api1 → bio2 tcp/8501``."""
        return f"{self.source} → {self.target} tcp/{self.port_range('-')}"

    def port_range(self, sign: str) -> str:
        """Format the ports with ``sign`` between the first and the last."""
        return port_range(self.port, self.last, sign)


@dataclass(frozen=True, kw_only=True)
class NetworkFacts:
    """The results of the probe.

    ``ports`` are the states of the targets' ports (see ``Listener.ports``), ``outcomes`` those of the
    connections (see ``Listener.outcomes``) by source, target and port; a target also connects to itself when
    its port is taken. ``no_answer`` holds the last output of nodes whose listener failed, ``slow`` why a node
    was not waited for, ``unreached`` the errors of nodes without a connection."""

    ports: Mapping[tuple[str, int], str] = field(default_factory=dict)
    outcomes: Mapping[tuple[str, str, int], str] = field(default_factory=dict)
    no_answer: Mapping[str, str] = field(default_factory=dict)
    slow: Mapping[str, str] = field(default_factory=dict)
    unreached: Mapping[str, ConnectError] = field(default_factory=dict)
    firewalls: Mapping[str, NodeFirewall] = field(default_factory=dict)


def required_connections(topology: Topology) -> tuple[ProbedConnection, ...]:
    """Return the connections between nodes in the topology's order, each port once."""
    names = {node.name for node in topology.nodes}
    found: dict[tuple[str, str, int, int | None], list[str]] = {}
    for edge in topology.edges:
        if edge.source != edge.target and {edge.source, edge.target} <= names:
            key = (edge.source, edge.target, edge.port, edge.last_port)
            found.setdefault(key, []).append(edge.purpose)
    return tuple(
        ProbedConnection(
            source=source, target=target, port=port, last=last, purpose=join_and(dict.fromkeys(purposes))
        )
        for (source, target, port, last), purposes in found.items()
    )


def probe_connections(
    context: CheckContext, topology: Topology, connections: Sequence[ProbedConnection]
) -> NetworkFacts:
    """Listen on all targets, then connect from all sources, in parallel."""
    began = time.monotonic()
    names = [
        node.name
        for node in context.nodes
        if any(node.name in (one.source, one.target) for one in connections)
    ]
    connecting = start_all(names, context.transport, name="network")
    wait(connecting.values(), timeout=REACH_SECONDS)
    reached = {name: future for name, future in connecting.items() if future.done()}
    opening = _Opening(connections, {name: one.result() for name, one in reached.items() if not _error(one)})
    try:
        listeners = opening.until(began + _OPENED_AT)
        facts = _try_connections(topology, connections, listeners, context, began)
    finally:
        opening.close(min(time.monotonic() + _CLOSE_SECONDS, began + _CLOSED_AT))
    # Not before: with MaxSessions 1 the listener holds the only session.
    until = min(time.monotonic() + _FIREWALL_SECONDS, began + _FIREWALLS_AT)
    firewalls = _firewalls(context, topology, connections, tuple(listeners), until)
    wait(connecting.values(), timeout=max(0.0, began + _UNREACHED_AT - time.monotonic()))
    unreached = {name: error for name, one in connecting.items() if one.done() and (error := _error(one))}
    late = [name for name in connecting if name not in reached and name not in unreached]
    slow = dict.fromkeys(late, f"connecting to it takes more than {REACH_SECONDS:g} s")
    slow |= dict.fromkeys(opening.waiting, NO_SESSION)
    return replace(facts, slow=slow, unreached=unreached, firewalls=firewalls)


def _error(future: Future[Transport]) -> ConnectError | None:
    """Return why a node could not be reached. Raises any other error."""
    error = future.exception()
    if error is None or isinstance(error, ConnectError):
        return error
    raise error


class _Opening:
    """Listeners that open in the order of the nodes (see ``Listener``).

    A slow one delays the next ones only briefly; one that opens too late is closed immediately."""

    def __init__(self, connections: Sequence[ProbedConnection], transports: Mapping[str, Transport]) -> None:
        self.waiting: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._over = False
        self._opened: dict[str, Listener] = {}
        self._transports = transports
        self._ports = {
            name: tuple(
                dict.fromkeys(
                    port
                    for connection in connections
                    if connection.target == name
                    for port in connection.ports
                )
            )
            for name in transports
        }

    def until(self, deadline: float) -> Mapping[str, Listener]:
        """Return the listeners that are open at the deadline (monotonic clock).

        Nodes that are lost meanwhile are left out: other checks report them."""
        until = time.monotonic() + _OPEN_SECONDS
        futures: dict[str, Future[None]] = {}
        for name in self._transports:
            timeout = max(_SHORTEST_SECONDS, until - time.monotonic())
            futures |= start_all([name], partial(self._open, timeout=timeout), name="listen")
            wait([futures[name]], timeout=max(0.0, min(timeout, deadline - time.monotonic())))
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
        """Close all listeners, also those that open later."""
        with self._lock:
            self._over = True
        for listener in self._opened.values():
            listener.close(until)


def _try_connections(
    topology: Topology,
    connections: Sequence[ProbedConnection],
    listeners: Mapping[str, Listener],
    context: CheckContext,
    began: float,
) -> NetworkFacts:
    """Connect once all listen; also to nodes that the run leaves out, where Oz may be running."""
    until = min(time.monotonic() + _READY_SECONDS, began + _READY_AT)
    ready = {name: one for name, one in listeners.items() if one.ready(until)}
    silent = {name: one.last_message or "no answer" for name, one in listeners.items() if name not in ready}
    reached = {*ready, *(node.name for node in topology.nodes if context.node(node.name) is None)}
    endpoints = {
        name: [
            (connection.target, port)
            for connection in connections
            if connection.source == name
            for port in connection.ports
        ]
        for name in ready
    }
    endpoints = {name: [one for one in some if one[0] in reached] for name, some in endpoints.items()}
    for name, listener in ready.items():
        endpoints[name] += [(name, port) for port, state in listener.ports.items() if state == "taken"]
        listener.connect([(topology.node(target).address, port) for target, port in endpoints[name]])
    until = min(time.monotonic() + CONNECT_SECONDS + 2, began + _TRIED_AT)
    outcomes: dict[tuple[str, str, int], str] = {}
    for name, listener in ready.items():
        for number, end in listener.outcomes(until).items():
            outcomes[(name, *endpoints[name][number])] = end
    ports = {(name, port): state for name, one in ready.items() for port, state in one.ports.items()}
    return NetworkFacts(ports=ports, outcomes=outcomes, no_answer=silent)


def blocked_reason(connection: ProbedConnection, port: int, facts: NetworkFacts) -> str:
    """Return the outcome of a connection that a firewall or missing route blocks; or empty.

    A refusal proves a block only if a program listens: an engine holds published ports even when nothing
    listens in the container, as in the updater's passive range. There it counts whether the target can
    connect to itself.
    """
    end = facts.outcomes.get((connection.source, connection.target, port), "")
    if end == "refused":
        listens = facts.ports.get((connection.target, port)) == "ready"
        listens |= facts.outcomes.get((connection.target, connection.target, port)) == "open"
        return end if listens else ""
    return end if end == "late" or end.startswith("other ") else ""


def _firewalls(
    context: CheckContext,
    topology: Topology,
    connections: Sequence[ProbedConnection],
    names: Sequence[str],
    until: float,
) -> dict[str, NodeFirewall]:
    """Read the firewalls of these targets; one that does not answer in time counts as not read."""
    if not ENGINES[context.answers.engine].publishes_past_firewall:
        return {}
    others = {
        name: tuple(
            dict.fromkeys(
                topology.node(connection.source).address
                for connection in connections
                if connection.target == name
            )
        )
        for name in names
    }
    names = [name for name in names if others[name]]
    futures = start_all(
        names, lambda name: firewall.read_firewall(context.transport, name, others[name]), name="firewall"
    )
    wait(futures.values(), timeout=max(0.0, until - time.monotonic()))
    return {name: future.result() if future.done() else NodeFirewall() for name, future in futures.items()}


def port_range(first: int, last: int | None, sign: str) -> str:
    """Format a port or a range of ports."""
    return str(first) if last is None else f"{first}{sign}{last}"
