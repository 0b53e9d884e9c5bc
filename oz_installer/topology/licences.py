"""The nodes that need each licence. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.topology.model import Topology, TopologyNode

_PREFIX = "licence:"


def nodes_by_licence(topology: Topology) -> Mapping[str, tuple[TopologyNode, ...]]:
    """Return the nodes that mount a licence, by its key: ``bio``, ``web_adapter``."""
    found: dict[str, list[TopologyNode]] = {}
    for node in topology.nodes:
        sources = {mount.source for placed in node.services for mount in placed.service.mounts}
        for source in sorted(sources):
            if source.startswith(_PREFIX):
                found.setdefault(source.removeprefix(_PREFIX), []).append(node)
    return {key: tuple(nodes) for key, nodes in found.items()}
