"""What will run where and how it is wired, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.catalog.release import Part, Port, Resources, Service
from oz_installer.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class PlacedService:
    """One service on one node. ``name`` is the container's; ``kind`` is the catalogue's entry; ``ports`` are
    those that are open on the node."""

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
    """A node with its roles, its place in the layout and what runs on it, in order of start."""

    name: str
    host: str
    address: str
    roles: tuple[str, ...]
    requirements: Resources
    first_api: bool
    services: tuple[PlacedService, ...]

    def has(self, kind: str) -> bool:
        """Whether a service of that catalogue name runs here."""
        return any(placed.service.name == kind for placed in self.services)

    def part(self, part: Part) -> PlacedService | None:
        """The service that plays this part here; None when there is none."""
        return next((placed for placed in self.services if placed.service.part == part), None)


@dataclass(frozen=True, kw_only=True)
class Edge:
    """``source`` (a node's name, ``users`` or an outside party) opens TCP ``port`` on ``target``."""

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
        """The node of that name; KeyError when there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def api_nodes(self) -> tuple[TopologyNode, ...]:
        """Nodes that run the API; the first one has the single-instance parts."""
        return tuple(node for node in self.nodes if "api" in node.roles)

    @property
    def bio_nodes(self) -> tuple[TopologyNode, ...]:
        """Nodes that serve the models."""
        return tuple(node for node in self.nodes if "bio" in node.roles)

    def nodes_with(self, kind: str) -> tuple[TopologyNode, ...]:
        """Nodes on which a service of that catalogue name runs."""
        return tuple(node for node in self.nodes if node.has(kind))

    def services_for(self, part: Part) -> tuple[PlacedService, ...]:
        """The services that play this part, one a node, in the operator's order."""
        return tuple(placed for node in self.nodes if (placed := node.part(part)))


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """How one node reaches everything: the values that catalogue strings and templates may name."""

    node: str
    values: Mapping[str, object]
