"""The check that the ports a node will publish are free, or already used by Oz."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from oz_installer.catalog.service import Port
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.host.engine_query import engine_query, parse_containers
from oz_installer.checks.network.listener import MARK
from oz_installer.text import plural, safe_line

# Leaves out the listeners of the network check, which runs at the same time. A container that keeps
# restarting listens now and then, while the engine lists no ports of it: so its configured ports are read.
_SCRIPT = """
awk '$4 == "0A" && $NF != {mark} {{ n = split($2, a, ":"); print "listen", a[n] }}' \
  /proc/net/tcp /proc/net/tcp6
command -v ss > /dev/null && soon ss -Hltnp
echo "$engine_listed"
echo "engine $engine_listed_status"
[ "$engine_status" != 127 ] || echo "absent yes"
restarting=$(echo "$engine_listed" | awk -F '\\t' '$4 ~ /^Restarting/ {{ print substr($1, 11) }}')
[ -z "$restarting" ] || soon {engine} container inspect --format {bound} $restarting
"""
_BOUND = (
    "bound {{.Name}}{{range $port, $all := .HostConfig.PortBindings}}"
    "{{range $all}} {{$port}}={{.HostPort}}{{end}}{{end}}"
)
_BOUND_PORT = re.compile(r"/tcp=(\d+)\b")
_PROXY = "docker-proxy"
_PUBLISHED = re.compile(r":(\d+)(?:-(\d+))?->[\d-]+/tcp")
_HOLDER = re.compile(r":(\d+)\s+\S+\s+users:\(\(\"([^\"]+)\"")


@dataclass(frozen=True, kw_only=True)
class PortFacts:
    """The TCP ports in use. ``listening``: all with a listener, ``holders``: their programs,
    ``containers`` the containers that publish a port, ``ours`` the ports that our containers publish.

    ``complete``: the engine listed its containers; ``absent``: there is no engine.
    """

    listening: frozenset[int] = frozenset()
    holders: Mapping[int, str] = field(default_factory=dict)
    containers: Mapping[int, str] = field(default_factory=dict)
    ours: frozenset[int] = frozenset()
    complete: bool = True
    absent: bool = False

    def taken(self, port: int) -> bool:
        """Return whether another program or container uses the port."""
        return port not in self.ours and (port in self.listening or port in self.containers)

    def holder(self, port: int) -> str:
        """Name the container or program that uses the port."""
        if port in self.containers:
            return f"the container {self.containers[port]}"
        return self.holders.get(port, "another program")

    def is_left_over(self, port: int) -> bool:
        """Return whether Docker still listens on a port for a container that is gone."""
        return self.complete and port not in self.containers and self.holders.get(port) == _PROXY


class PortsCheck(ShellCheck[PortFacts]):
    """Report all free ports as one finding, and each taken port as one."""

    name = "ports"
    title = "Ports"

    def nodes(self, context: CheckContext) -> tuple[CheckedNode, ...]:
        """Return the nodes that publish ports."""
        return tuple(node for node in context.nodes if node.ports)

    def prelude(self, context: CheckContext) -> str:
        """Query the containers' published ports, which need no listener."""
        return engine_query(context.answers.engine, context.install_dir)

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Print the kernel's listeners."""
        del node
        return _SCRIPT.format(mark=MARK, engine=context.answers.engine, bound=shlex.quote(_BOUND))

    def parse(self, text: str) -> PortFacts:
        """Parse the facts."""
        listed = {one.name: one for one in parse_containers(text)}
        published = {one.name: _published(one.ports) for one in listed.values() if one.running}
        listening = set()
        holders: dict[int, str] = {}
        complete = absent = False
        for line in text.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "listen":
                listening.add(int(rest, 16))
            elif kind == "LISTEN" and (found := _HOLDER.search(rest)):
                holders[int(found[1])] = safe_line(found[2])
            elif kind == "bound" and (name := rest.partition(" ")[0].removeprefix("/")) in listed:
                published[name] = {int(port) for port in _BOUND_PORT.findall(rest)}
            elif kind == "engine":
                complete = rest == "0"
            elif kind == "absent":
                absent = True
        return PortFacts(
            listening=frozenset(listening),
            holders=holders,
            containers={port: name for name, ports in published.items() for port in ports},
            ours=frozenset(port for name, ports in published.items() if listed[name].ours for port in ports),
            complete=complete,
            absent=absent,
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: PortFacts) -> Iterator[Finding]:
        """Report a taken port as a failure when it is certain that it is not ours."""
        del context
        taken = [(port, number) for port in node.ports if (number := _first_taken(port, facts)) is not None]
        for port, number in taken:
            yield self._taken(node, port, number, facts)
        if taken:
            return
        if facts.complete or facts.absent:
            yield self._free(node, facts)
        else:
            yield self._uncertain(node)

    def _taken(self, node: CheckedNode, port: Port, number: int, facts: PortFacts) -> Finding:
        left_over = facts.is_left_over(number)
        return self.finding(
            node,
            "failure" if facts.complete else "warning",
            f"taken by {facts.holder(number)}{', for no container' if left_over else ''}",
            about=str(port.host),
            subject=f"Port {number}",
            needed=f"free, for {port.purpose}",
            why=f"The service for {port.purpose} cannot publish this port and does not start."
            if facts.complete
            else "The engine did not list its containers, so Oz itself may be using the port.",
            hint=f"Restart Docker on {node.name} (systemctl restart docker): it still listens on TCP port"
            f" {number} for a container that no longer publishes it."
            if left_over
            else f"Stop the program on TCP port {number} of {node.name}, or move it to another port.",
        )

    def _free(self, node: CheckedNode, facts: PortFacts) -> Finding:
        ours = sum(port.host in facts.ours for port in node.ports)
        seen = (
            "already used by Oz"
            if ours == len(node.ports)
            else "free"
            if not ours
            else f"free, {ours} already used by Oz"
        )
        return self.finding(node, "ok", f"{plural(len(node.ports), 'port')} {seen}")

    def _uncertain(self, node: CheckedNode) -> Finding:
        """Report that the ports have no listener, but that a container may publish them without one."""
        return self.finding(
            node,
            "warning",
            "no program listens on the ports, but the ports that containers publish are unknown",
            needed=f"{plural(len(node.ports), 'port')} free",
            why="The engine did not list its containers; one of them may hold a port that Oz needs.",
            hint="Check again when the engine lists its containers (ps -a).",
        )


def _first_taken(port: Port, facts: PortFacts) -> int | None:
    numbers = range(port.host, (port.last or port.host) + 1)
    return next((number for number in numbers if facts.taken(number)), None)


def _published(text: str) -> set[int]:
    ports: set[int] = set()
    for first, last in _PUBLISHED.findall(text):
        ports.update(range(int(first), int(last or first) + 1))
    return ports
