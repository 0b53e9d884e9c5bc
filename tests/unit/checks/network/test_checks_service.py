"""Findings that external services share: access and version."""

from __future__ import annotations

import pytest

from oz_installer.checks.broker.broker import BrokerCheck
from oz_installer.checks.network.service import ExternalService, access_finding, version_finding
from oz_installer.checks.network.tcp import TcpResult
from tests.unit.checks.checks_support import API

REDIS = ExternalService(
    product="Redis",
    listener="mq:6379",
    host="mq",
    key="broker.host",
    listens_by="bind",
    stranger_hint="Correct broker.type.",
)
OPEN, SHUT = TcpResult(open=True, tunnel=False), TcpResult(open=False, message="timed out", tunnel=False)


@pytest.mark.parametrize(
    ("outcome", "tcp", "level", "seen", "hint"),
    [
        ("forbidden", OPEN, "warning", "mq:6379 answers; the login was not checked", "AllowTcpForwarding"),
        ("forbidden", SHUT, "failure", "mq:6379 cannot be reached: timed out", "firewall"),
        ("unreachable", None, "failure", "mq:6379 cannot be reached: why", "(bind)"),
        ("stranger", None, "failure", "the service at mq:6379 does not speak Redis: why", "broker.type"),
    ],
)
def test_access(outcome: str, tcp: TcpResult | None, level: str, seen: str, hint: str) -> None:
    found = access_finding(BrokerCheck(), API, REDIS, outcome, "why", tcp)
    assert found is not None
    assert (found.id, found.level, found.seen) == ("broker/n1", level, seen)
    assert hint in found.hint
    assert "?" not in found.hint


def test_a_name_that_is_not_known_has_a_hint_of_its_own() -> None:
    found = access_finding(BrokerCheck(), API, REDIS, "unreachable", "Name or service not known")
    assert found is not None
    assert "getent hosts mq" in found.hint


@pytest.mark.parametrize("outcome", ["in", "refused", "vhost"])
def test_what_was_asked_is_judged_elsewhere(outcome: str) -> None:
    assert access_finding(BrokerCheck(), API, REDIS, outcome, "why") is None


def test_versions() -> None:
    old = version_finding(BrokerCheck(), API, "Broker version", "Redis 6.0", "6.2", old=True)
    assert (old.id, old.level, old.needed) == (
        "broker.version/n1",
        "warning",
        "6.2 or newer (what the vendor bundles)",
    )
    assert old.hint
    new = version_finding(BrokerCheck(), API, "Broker version", "Redis 7", "", old=False)
    assert (new.level, new.needed, new.hint) == ("ok", "", "")
