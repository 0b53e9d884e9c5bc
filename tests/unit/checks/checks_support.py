"""Sites, nodes and fake connections for the tests of checks."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oz_installer.answers.file import loads
from oz_installer.answers.model import Answers
from oz_installer.catalog.release import load_release
from oz_installer.catalog.scenario import Resources
from oz_installer.catalog.service import Port
from oz_installer.checks.base import NodeCheck, ShellCheck
from oz_installer.checks.combined_script import combine_scripts, sections
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.remote.transport import ForwardingForbidden, Transport
from oz_installer.secret import Secret
from tests.local_transport import LocalTransport

CANARY = "canary-password"
ANSWERS = """
version: 1
scenario: {scenario}
public_url: http://oz.example.com
engine: {engine}
install_dir: {install_dir}
nodes: [{{name: n1, host: 10.0.0.1, roles: [api]}}, {{name: n2, host: 10.0.0.2, roles: [api, bio]}}]
database: {{host: db.example.com, password: {{env: X}}, sslmode: {sslmode}}}
storage: {storage}
updater: {{token: {{env: X}}}}
"""
API = CheckedNode(
    name="n1",
    roles=("api",),
    requirements=Resources(cpu=8, memory=16),
    source="layout medium-4",
    ports=(
        Port(host=8880, container=8880, purpose="API"),
        Port(host=60000, container=60000, purpose="FTP", last=60003),
    ),
)
BIO = CheckedNode(
    name="n2",
    roles=("api", "bio"),
    requirements=Resources(cpu=16, memory=24, disk=50),
    source="layout medium-4",
)


def answers(**changes: str) -> Answers:
    """Answers of two api nodes."""
    fields = {"scenario": "medium", "engine": "docker", "install_dir": "/opt/oz", "sslmode": "require"}
    return loads(ANSWERS.format(**{**fields, "storage": "{type: path, path: /mnt/oz}", **changes}))


def no_line(name: str) -> Transport:
    """A site whose nodes nobody may call."""
    raise AssertionError(f"{name} was called")


def site(
    reach: Callable[[str], Transport] = no_line, spots: Sequence[CheckedNode] = (API, BIO), **changes: str
) -> CheckContext:
    """A site with these nodes."""
    return CheckContext(
        answers=answers(**changes),
        release=load_release("5.2"),
        nodes=tuple(spots),
        transport=reach,
        secrets={"database.password": Secret(CANARY)},
    )


def judged(
    check: NodeCheck[Any], facts: Any, spot: CheckedNode = BIO, at: CheckContext | None = None
) -> dict[str, Finding]:
    """The findings by id without the node; every one is of its check, and a bad one says what to do."""
    found = list(check.judge(at or site(), spot, facts))
    for one in found:
        assert one.check == check.name
        assert one.id.endswith(f"/{spot.name}")
        assert one.node == spot.name
        assert one.seen
        assert one.subject
        assert one.hint or one.level == "ok", one
    ids = [one.id.partition("/")[0] for one in found]
    assert len(set(ids)) == len(ids)
    return dict(zip(ids, found, strict=True))


def levels(found: Mapping[str, Finding]) -> dict[str, str]:
    """Of those that are not ok."""
    return {name: one.level for name, one in found.items() if one.level != "ok"}


class Elsewhere(LocalTransport):
    """This machine as a node whose tunnels all lead to one port here, or are forbidden."""

    def __init__(self, name: str = "n1", *, port: int | None = None) -> None:
        super().__init__(name)
        self.port = port

    def tunnel(self, host: str, port: int, *, timeout: float = 10.0) -> socket.socket:
        """To the one port."""
        if self.port is None:
            raise ForwardingForbidden(self.name)
        return super().tunnel("127.0.0.1", self.port, timeout=timeout)


def printed_by(check: ShellCheck[Any], at: CheckContext, spot: CheckedNode = API) -> str:
    """What the piece of one look prints on this machine."""
    script = combine_scripts({check.name: check.script(at, spot)}, [check.prelude(at)])
    return sections(LocalTransport(become="none").run(("sh", "-c", script)).text)[check.name]
