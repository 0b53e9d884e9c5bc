"""HTTP probes over published ports that show that an installation works. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.topology.model import PlacedService, Topology
from oz_installer.topology.wiring import url_host


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A request from the node ``from_node``; ``placed`` works if it returns status 200."""

    from_node: str
    placed: PlacedService
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The URL to request."""
        return f"http://{url_host(self.host)}:{self.port}{self.path}"

    @property
    def what(self) -> str:
        """The probed service, such as ``oz-tfss (BIO, serves the models) on bio1``."""
        return f"{self.placed.name} ({self.placed.service.title}) on {self.placed.node}"


def probes_from(topology: Topology, node: str) -> tuple[Probe, ...]:
    """Return the probes that one node sends, in the order of nodes and services."""
    return tuple(probe for probe in _probes(topology) if probe.from_node == node)


def _probes(topology: Topology) -> Iterator[Probe]:
    apis = tuple(node.name for node in topology.api_nodes)
    for node in topology.nodes:
        for placed in node.services:
            verify = placed.service.verify
            if verify is None:
                continue
            target = node.part(verify.through) if verify.through else placed
            if target is None or not target.ports:
                continue
            for source in apis if verify.by == "api" else (node.name,):
                port = target.ports[0].host
                yield Probe(from_node=source, placed=placed, host=node.address, port=port, path=verify.path)
