"""The topology as frozen data: nodes, services and network connections."""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.catalog.scenario import Resources
from oz_installer.catalog.service import Part, Port, Service
from oz_installer.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class PlacedService:
    """One service on one node.

    ``name`` is that of the container, ``service`` the catalogue's entry; ``ports`` are open on the node.
    """

    name: str
    service: Service
    node: str
    image: str
    ports: tuple[Port, ...] = ()

    @property
    def service_key(self) -> str:
        """``node/name``, unique in the installation."""
        return f"{self.node}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class TopologyNode:
    """A node with its roles, required resources and services, in start order."""

    name: str
    host: str
    address: str
    roles: tuple[str, ...]
    requirements: Resources
    first_api: bool
    services: tuple[PlacedService, ...]

    @property
    def container_names(self) -> tuple[str, ...]:
        """The names of the containers that keep running here."""
        return tuple(placed.name for placed in self.services if not placed.service.job)

    def has(self, service: str) -> bool:
        """Return whether the service of that catalogue name runs here."""
        return any(placed.service.name == service for placed in self.services)

    def part(self, part: Part) -> PlacedService | None:
        """Return the service with this part on the node; None when there is none."""
        return next((placed for placed in self.services if placed.service.part == part), None)


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A TCP connection from ``source`` to ``port`` of ``target``.

    Both are a node's name, ``users`` or an outside party.
    """

    source: str
    target: str
    port: int
    purpose: str
    last_port: int | None = None


@dataclass(frozen=True, kw_only=True)
class Topology:
    """The whole installation: nodes in the operator's order, edges in a fixed order."""

    layout: str
    scenario: str
    release: str
    engine: str
    public_url: str
    nodes: tuple[TopologyNode, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...] = ()

    def node(self, name: str) -> TopologyNode:
        """Return the node of that name. Raises KeyError when there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def api_nodes(self) -> tuple[TopologyNode, ...]:
        """Nodes that run the API; the first one has the single-instance services."""
        return tuple(node for node in self.nodes if "api" in node.roles)

    @property
    def bio_nodes(self) -> tuple[TopologyNode, ...]:
        """Nodes that serve the models."""
        return tuple(node for node in self.nodes if "bio" in node.roles)

    def nodes_with(self, service: str) -> tuple[TopologyNode, ...]:
        """Return the nodes on which the service of that catalogue name runs."""
        return tuple(node for node in self.nodes if node.has(service))

    def services_for(self, part: Part) -> tuple[PlacedService, ...]:
        """Return the services with this part, one per node, in the operator's order."""
        return tuple(placed for node in self.nodes if (placed := node.part(part)))


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The values that catalogue strings and templates may use, from the view of one node."""

    node: str
    values: Mapping[str, object]
