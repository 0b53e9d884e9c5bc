"""The port matrix where a node takes no part: which connections were not tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oz_installer.checks.network.port_probe import NO_SESSION, NetworkFacts
from oz_installer.topology.model import Edge
from tests.unit.checks.network.test_checks_network import judged, planned


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ([("n1", "n2"), ("n2", "n1")], "connections to and from n2 were not tried: "),
        ([("n1", "n2")], "connections to n2 were not tried: "),
        ([("n2", "n1")], "connections from n2 were not tried: "),
        ([], ""),
    ],
)
def test_of_a_slow_node_both_directions_are_told_if_it_has_them(
    edges: list[tuple[str, str]], expected: str
) -> None:
    at = planned()
    assert at.topology
    wiring = tuple(Edge(source=source, target=target, port=1, purpose="x") for source, target in edges)
    at = replace(at, topology=replace(at.topology, edges=wiring))
    found = judged(at, NetworkFacts(slow={"n2": NO_SESSION}))
    assert [one.seen for one in found.values()] == ([expected + NO_SESSION] if expected else [])
    assert all("MaxSessions" in one.hint for one in found.values())
