"""Labels of nodes and ports in a drawing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oz_installer.text import join_and
from oz_installer.topology.model import Edge, TopologyNode
from oz_installer.topology.summary import port_text


def node_names(nodes: Iterable[TopologyNode | str]) -> list[str]:
    """Return the names of nodes."""
    return [node if isinstance(node, str) else node.name for node in nodes]


def joined_names(nodes: Sequence[TopologyNode]) -> str:
    """Return the names of nodes as part of a sentence."""
    return join_and(node.name for node in nodes)


def ports_by_target(edges: Iterable[Edge]) -> dict[str, str]:
    """Return the ports that are connected to, by target."""
    ports: dict[str, list[str]] = {}
    for edge in edges:
        ports.setdefault(edge.target, []).append(port_text(edge.port, edge.last_port))
    return {target: ", ".join(some) for target, some in ports.items()}
