"""The secrets that the services of a topology need."""

from __future__ import annotations

from oz_installer.catalog.release import load_release
from oz_installer.topology.model import Topology


def secret_slots(topology: Topology) -> tuple[str, ...]:
    """Return the secrets of the services that can be generated, in the catalogue's order."""
    placed = {one.service.name for node in topology.nodes for one in node.services}
    kinds = load_release(topology.release).services
    return tuple(dict.fromkeys(slot for kind in kinds if kind.name in placed for slot in kind.secrets))
