"""The ports that a node will publish: free, or taken by what we installed ourselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from oz_installer.catalog.release import Port
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.host.engine_query import engine_query, parse_containers
from oz_installer.checks.network.listener import MARK
from oz_installer.text import plural, safe_line

# without the listeners of the check of the network, which runs at the same time
_SCRIPT = """
awk '$4 == "0A" && $NF != {mark} {{ n = split($2, a, ":"); print "listen", a[n] }}' \
  /proc/net/tcp /proc/net/tcp6
command -v ss > /dev/null && soon ss -Hltnp
echo "$engine_listed"
echo "engine $engine_listed_status"
[ "$engine_status" != 127 ] || echo "absent yes"
"""
_PUBLISHED = re.compile(r":(\d+)(?:-(\d+))?->[\d-]+/tcp")
_HOLDER = re.compile(r":(\d+)\s+\S+\s+users:\(\(\"([^\"]+)\"")


@dataclass(frozen=True, kw_only=True)
class PortFacts:
    """Who has which TCP port: ``listening`` all that somebody listens on, ``holders`` programs where they are
    known, ``containers`` those that publish it, ``ours`` what we published.

    ``complete`` says that the engine listed its containers, ``absent`` that there is no engine to have some.
    """

    listening: frozenset[int] = frozenset()
    holders: Mapping[int, str] = field(default_factory=dict)
    containers: Mapping[int, str] = field(default_factory=dict)
    ours: frozenset[int] = frozenset()
    complete: bool = True
    absent: bool = False

    def taken(self, port: int) -> bool:
        """By somebody else."""
        return port not in self.ours and (port in self.listening or port in self.containers)

    def holder(self, port: int) -> str:
        """Who has it, in words."""
        if port in self.containers:
            return f"the container {self.containers[port]}"
        return self.holders.get(port, "another program")


class PortsCheck(ShellCheck[PortFacts]):
    """One finding for all that are free, one for each that is not."""

    name = "ports"
    title = "Ports"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Those that publish some."""
        return tuple(node for node in context.nodes if node.ports)

    def prelude(self, context: CheckContext) -> str:
        """What containers publish, which need not listen."""
        return engine_query(context.answers.engine, context.install_dir)

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Listeners of the kernel."""
        del context, node
        return _SCRIPT.format(mark=MARK)

    def parse(self, text: str) -> PortFacts:
        """Facts from its lines."""
        running = [(one, _published(one.ports)) for one in parse_containers(text) if one.running]
        listening = set()
        holders: dict[int, str] = {}
        complete = absent = False
        for line in text.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "listen":
                listening.add(int(rest, 16))
            elif kind == "LISTEN" and (found := _HOLDER.search(rest)):
                holders[int(found[1])] = safe_line(found[2])
            elif kind == "engine":
                complete = rest == "0"
            elif kind == "absent":
                absent = True
        return PortFacts(
            listening=frozenset(listening),
            holders=holders,
            containers={port: one.name for one, ports in running for port in ports},
            ours=frozenset(port for one, ports in running if one.ours for port in ports),
            complete=complete,
            absent=absent,
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: PortFacts) -> Iterator[Finding]:
        """Failures, where it is sure that the port is not ours."""
        del context
        lost = [(port, number) for port in node.ports if (number := _first_taken(port, facts)) is not None]
        for port, number in lost:
            yield self.finding(
                node,
                "failure" if facts.complete else "warning",
                f"taken by {facts.holder(number)}",
                about=str(port.host),
                subject=f"Port {number}",
                needed=f"free, for {port.purpose}",
                why="" if facts.complete else "The engine did not list its containers, so it may be our own.",
                hint=f"Stop what listens on TCP port {number} of {node.name}, or move it to another port.",
            )
        if lost:
            return
        if facts.complete or facts.absent:
            yield self._free(node, facts)
        else:
            yield self._unsure(node)

    def _free(self, node: CheckedNode, facts: PortFacts) -> Finding:
        ours = sum(port.host in facts.ours for port in node.ports)
        seen = (
            "ours already"
            if ours == len(node.ports)
            else "free"
            if not ours
            else f"free, {ours} ours already"
        )
        return self.finding(node, "ok", f"{plural(len(node.ports), 'port')} {seen}")

    def _unsure(self, node: CheckedNode) -> Finding:
        """What a container publishes need not listen."""
        return self.finding(
            node,
            "warning",
            "no program has them, but what containers publish could not be looked at",
            needed=f"{plural(len(node.ports), 'port')} free",
            why="The engine did not list its containers.",
            hint="Check again when the engine lists them (ps -a).",
        )


def _first_taken(port: Port, facts: PortFacts) -> int | None:
    numbers = range(port.host, (port.last or port.host) + 1)
    return next((number for number in numbers if facts.taken(number)), None)


def _published(text: str) -> set[int]:
    ports: set[int] = set()
    for first, last in _PUBLISHED.findall(text):
        ports.update(range(int(first), int(last or first) + 1))
    return ports
