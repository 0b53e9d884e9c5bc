"""Why a tunnel was not opened: said once, and with a hint of its own where a name is not known."""

from __future__ import annotations

import socket

import pytest

from oz_installer.checks.database.database import DatabaseCheck
from oz_installer.checks.network.tcp import TcpResult, dns_hint
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.remote.transport import TunnelRefused, TunnelTimeout
from tests.local_transport import LocalTransport
from tests.unit.checks.checks_support import API, judged, site


class Closed(LocalTransport):
    """Its tunnels end so."""

    def __init__(self, error: OSError) -> None:
        super().__init__("n1")
        self.error = error

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        raise self.error


PLACE = "db.example.com:5432"


@pytest.mark.parametrize(
    ("error", "reason", "hint"),
    [
        (TunnelRefused(PLACE, "n1", "Connection refused"), "Connection refused", "listen_addresses"),
        (TunnelTimeout(PLACE, "n1", 5), "no answer within 5 s", "listen_addresses"),
        (TunnelRefused(PLACE, "n1", "Name or service not known"), "Name or service not known", "DNS"),
        (OSError("Temporary failure in name resolution"), "Temporary failure in name resolution", "DNS"),
    ],
)
def test_a_place_is_named_once_and_the_hint_fits(error: OSError, reason: str, hint: str) -> None:
    node = Closed(error)
    assert NodeViewpoint(node).tcp("db.example.com", 5432) == TcpResult(open=False, message=reason)
    at = site(lambda _: node)
    found = judged(DatabaseCheck(), DatabaseCheck().probe(at, API), API, at)["database"]
    assert found.seen == f"{PLACE} cannot be reached: {reason}"
    assert hint in found.hint
    assert ("listen_addresses" in found.hint) == (hint != "DNS")
    assert ("getent hosts db.example.com" in found.hint) == (hint == "DNS")
    assert PLACE in str(error) or hint == "DNS"


def test_only_names_that_are_not_known_are_about_dns() -> None:
    assert "broker.host" in dns_hint("bash: line 1: mq: Name or service not known", "mq", "broker.host")
    assert "broker.host" in dns_hint("Name does not resolve", "mq", "broker.host")
    assert dns_hint("Connection refused", "mq", "broker.host") == ""
    assert dns_hint("Resource temporarily unavailable", "mq", "broker.host") == ""
