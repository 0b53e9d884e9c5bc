"""The target's own firewall: read from what tools say, and what it makes of a blocked connection."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from oz_installer.checks.network.firewall import NodeFirewall, parse_firewall
from tests.unit.checks.checks_support import levels
from tests.unit.checks.network.test_checks_network import BLOCKED, changed, facts, judged, planned

OPEN = "[docker0]\n[iptables]\n-P INPUT ACCEPT\n-P FORWARD DROP\n-N DOCKER\n"
DROP = f"{OPEN}-A INPUT -p tcp -m tcp --dport 8501 -j DROP\n"
USER = "-A DOCKER-USER -p tcp -j DROP\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (OPEN, ""),
        (DROP, "iptables"),
        ("[docker0]\n[iptables]\n-P INPUT DROP\n", "iptables"),
        (f"[ufw]\nStatus: active\n{OPEN}", "ufw"),
        (f"[ufw]\nStatus: inactive\n{OPEN}", ""),
        (f"[firewall-cmd]\nrunning\n{OPEN}", "firewalld"),
        (f"{OPEN}-A INPUT -j mine\n-A mine -p tcp -j REJECT\n", "iptables"),
        (f"{OPEN}-A INPUT -j a\n-A a -j b\n-A b -j a\n", ""),
        (f"{OPEN}-A INPUT -p tcp -m multiport --dports 22 -j f2b\n-A f2b -j REJECT\n", ""),
        (f"{OPEN}-A INPUT -p tcp -m multiport --dports 22,8500:8600 -j DROP\n", "iptables"),
        (f"{OPEN}-A INPUT -m conntrack --ctstate INVALID -j DROP\n", ""),
        (f"{OPEN}-A INPUT -p udp -j DROP\n", ""),
        ("", ""),
    ],
)
def test_what_stops_a_plain_program(text: str, name: str) -> None:
    wall = parse_firewall(text)
    assert wall.blocks(8501) == name
    assert wall.read == bool(text)
    assert not wall.blocks_published("10.0.0.1", 8501, 8501)
    assert bool(parse_firewall(text + USER).blocks_published("10.0.0.1", 8501, 8501)) == bool(text)


@pytest.mark.parametrize(
    ("engine", "state", "wall", "level", "words"),
    [
        (
            "docker",
            "ready",
            parse_firewall(DROP),
            "warning",
            "iptables -I INPUT -p tcp --dport 8501 -j ACCEPT",
        ),
        ("docker", "none", parse_firewall(DROP), "warning", "Or accept this"),
        (
            "docker",
            "ready",
            parse_firewall(f"[ufw]\nStatus: active\n{OPEN}"),
            "warning",
            "n2: ufw allow 8501/tcp.",
        ),
        (
            "docker",
            "ready",
            parse_firewall(f"[firewall-cmd]\nrunning\n{OPEN}"),
            "warning",
            "--add-port=8501/tcp",
        ),
        ("docker", "taken", parse_firewall(DROP), "failure", "On n2"),
        ("docker", "ready", parse_firewall(DROP + USER), "failure", "On n2"),
        ("docker", "ready", parse_firewall(OPEN), "failure", "On n2"),
        ("docker", "ready", NodeFirewall(), "failure", "On n2"),
        ("podman", "ready", parse_firewall(DROP), "failure", "On n2"),
    ],
)
def test_what_is_blocked_there(
    engine: Literal["docker", "podman"], state: str, wall: NodeFirewall, level: str, words: str
) -> None:
    at = planned()
    at = replace(at, answers=replace(at.answers, engine=engine))
    told = changed(facts(at), ("n1", "n2", 8501, "late"))
    told = replace(told, ports={**told.ports, ("n2", 8501): state}, firewalls={"n2": wall})
    found = judged(at, told)
    assert levels(found) == {BLOCKED: level}
    assert found[BLOCKED].seen == "n1 → n2 tcp/8501, for BIO: no answer within 3 s"
    assert words in found[BLOCKED].hint
    assert ("on n2 blocks programs on the host" in found[BLOCKED].why) == (level == "warning")
    assert ("could not be read" in found[BLOCKED].why) == (not wall.read)
