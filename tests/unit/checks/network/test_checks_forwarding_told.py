"""What the port matrix says of rules that stop packets on their way to a container."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oz_installer.checks.network.firewall import NodeFirewall
from tests.unit.checks.checks_support import levels
from tests.unit.checks.network.test_checks_forwarding import wall
from tests.unit.checks.network.test_checks_network import changed, facts, judged, planned

DROP = "-A DOCKER-USER -s 10.0.0.1/32 -j DROP"
STOPPED = "network.forward-8501/n1:n2"


def test_the_matrix_warns_of_a_way_that_is_open_and_will_be_stopped() -> None:
    at = planned()
    told = replace(facts(at), firewalls={"n1": wall(), "n2": wall(DROP)})
    found = judged(at, told)
    assert levels(found) == {STOPPED: "warning"}
    assert found[STOPPED].seen == f"n1 → n2 tcp/8501, for BIO: a firewall rule of n2 may block it: {DROP}"
    assert "On n2, delete that rule" in found[STOPPED].hint
    assert "iptables -I DOCKER-USER -s 10.0.0.1 -p tcp --dport 8501 -j ACCEPT" in found[STOPPED].hint
    assert "network/n1" not in found
    assert found["network/n2"].seen == "4 connections to 1 other node"


def test_a_rule_for_part_of_a_range_is_seen() -> None:
    at = planned()
    rule = "-A FORWARD -p tcp -m tcp --dport 60007 -j DROP"
    found = judged(at, replace(facts(at), firewalls={"n1": wall(rule), "n2": wall()}))
    assert levels(found) == {"network.forward-60000/n2:n1": "warning"}
    assert (
        "iptables -I FORWARD -s 10.0.0.2 -p tcp --dport 60000:60100 -j ACCEPT"
        in found["network.forward-60000/n2:n1"].hint
    )


def test_a_rule_is_for_the_containers_own_port() -> None:
    """What FORWARD sees is behind the translation of addresses; the first port stands with conntrack only."""
    at = planned()
    assert at.topology
    nodes = [
        replace(
            node,
            services=tuple(
                replace(
                    one, ports=tuple(replace(port, container=9501) for port in one.ports if port.host == 8501)
                )
                for one in node.services
            ),
        )
        for node in at.topology.nodes
    ]
    at = replace(at, topology=replace(at.topology, nodes=tuple(nodes)))
    for rule, level in (
        ("-A FORWARD -p tcp -m tcp --dport 9501 -j DROP", {STOPPED: "warning"}),
        ("-A FORWARD -p tcp -m tcp --dport 8501 -j DROP", {}),
        ("-A FORWARD -p tcp -m conntrack --ctorigdstport 8501 -j DROP", {STOPPED: "warning"}),
    ):
        found = judged(at, replace(facts(at), firewalls={"n1": wall(), "n2": wall(rule)}))
        assert levels(found) == level, rule
        assert not level or "-p tcp --dport 9501 -j ACCEPT" in found[STOPPED].hint


def test_what_a_container_has_answered_needs_no_rules() -> None:
    at = planned()
    told = replace(facts(at, "taken"), firewalls={"n1": NodeFirewall(), "n2": wall(DROP)})
    found = judged(at, told)
    assert levels(found) == {}
    assert "was not checked" not in repr(found)


def test_what_is_blocked_is_told_once_with_the_rule() -> None:
    at = planned()
    told = changed(facts(at), ("n1", "n2", 8501, "late"))
    found = judged(at, replace(told, firewalls={"n1": wall(), "n2": wall(DROP)}))
    assert levels(found) == {"network.8501/n1:n2": "failure"}
    assert DROP in found["network.8501/n1:n2"].why


@pytest.mark.parametrize("walls", [{}, {"n1": NodeFirewall(), "n2": NodeFirewall(read=True, active="ufw")}])
def test_where_the_rules_cannot_be_read_the_ok_line_says_so(walls: dict[str, NodeFirewall]) -> None:
    at = planned()
    found = judged(at, replace(facts(at), firewalls=walls))
    assert levels(found) == {}
    assert found["network/n1"].seen == (
        "1 connection to 1 other node; forwarding to containers was not checked on n2 (its rules need root)"
    )
    assert "root" in found["network/n1"].hint
    podman = replace(at, answers=replace(at.answers, engine="podman"))
    assert "looked" not in judged(podman, replace(facts(at), firewalls=walls))["network/n1"].seen
