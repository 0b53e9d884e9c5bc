"""What is asked over published ports to see that an installation works, and by which node. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.topology.model import PlacedService, Topology
from oz_installer.topology.wiring import url_host


@dataclass(frozen=True, kw_only=True)
class Probe:
    """``asker`` (a node) gets 200 at ``http://host:port/path`` when ``placed`` works."""

    from_node: str
    placed: PlacedService
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """As a browser wants it."""
        return f"http://{url_host(self.host)}:{self.port}{self.path}"

    @property
    def what(self) -> str:
        """``oz-tfss (BIO, serves the models) on bio1``."""
        return f"{self.placed.name} ({self.placed.service.title}) on {self.placed.node}"


def probes_from(topology: Topology, asker: str) -> tuple[Probe, ...]:
    """All that one node asks, in the order of nodes and services."""
    return tuple(probe for probe in _probes(topology) if probe.from_node == asker)


def _probes(topology: Topology) -> Iterator[Probe]:
    apis = tuple(node.name for node in topology.api_nodes)
    for node in topology.nodes:
        for placed in node.services:
            verify = placed.service.verify
            if verify is None:
                continue
            door = node.part(verify.through) if verify.through else placed
            if door is None or not door.ports:
                continue
            for asker in apis if verify.by == "api" else (node.name,):
                port = door.ports[0].host
                yield Probe(from_node=asker, placed=placed, host=node.address, port=port, path=verify.path)
