"""Checks of external services ask from a viewpoint; it need not be a node reached by SSH."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.broker.broker import BrokerCheck
from oz_installer.checks.context import CheckContext
from oz_installer.checks.database.database import DatabaseCheck
from oz_installer.checks.network.egress import EgressCheck
from oz_installer.checks.network.tcp import TcpResult
from oz_installer.checks.storage.storage import StorageCheck
from oz_installer.checks.viewpoint import Viewpoint
from oz_installer.remote.transport import CommandResult, ForwardingForbidden
from tests.unit.checks.broker.test_checks_broker import at as broker_site
from tests.unit.checks.checks_support import API, site
from tests.unit.checks.network.test_checks_egress import planned
from tests.unit.checks.storage.test_checks_storage import NFS

REASON = "the pod has no way there"


class Pod:
    """A place that is no transport: it cannot send files, run as root or stream a command."""

    name = "pod"

    def __init__(self, error: OSError | ForwardingForbidden) -> None:
        self._error = error

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        raise self._error

    def tcp(self, host: str, port: int) -> TcpResult:
        return self.tcp_from_shell(host, port)

    def tcp_from_shell(self, host: str, port: int) -> TcpResult:
        return TcpResult(open=False, message=f"{host}:{port}: {REASON}", tunnel=False)

    def shell(
        self, argv: Sequence[str], *, stdin: bytes | None = None, timeout: float = 120.0
    ) -> CommandResult:
        return CommandResult(argv=tuple(argv), status=127)


def seen_from_pods(context: CheckContext, error: OSError | ForwardingForbidden) -> CheckContext:
    """The same answers on a platform whose checks ask from pods; its nodes may not be called."""

    class Cluster(CheckContext):
        def viewpoint(self, name: str) -> Viewpoint:
            return Pod(error)

    return Cluster(**{name: getattr(context, name) for name in CheckContext.__dataclass_fields__})


def external_database() -> CheckContext:
    return site()


def external_broker() -> CheckContext:
    return broker_site()


def nfs() -> CheckContext:
    return site(storage=NFS)


@pytest.mark.parametrize(
    ("check", "context"),
    [
        (DatabaseCheck(), external_database),
        (BrokerCheck(), external_broker),
        (StorageCheck(), nfs),
        (EgressCheck(), planned),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
@pytest.mark.parametrize("error", [OSError(REASON), ForwardingForbidden("pod")], ids=["refused", "forbidden"])
def test_what_a_pod_does_not_reach_is_found_from_there(
    check: ProbeCheck[Any], context: Callable[[], CheckContext], error: OSError | ForwardingForbidden
) -> None:
    at = seen_from_pods(context(), error)
    found = list(check.judge(at, API, check.probe(at, API)))
    bad = [one for one in found if one.level != "ok"]
    assert bad
    if check.name != "egress" or isinstance(error, OSError):
        assert any(REASON in one.seen for one in bad), [one.seen for one in bad]
