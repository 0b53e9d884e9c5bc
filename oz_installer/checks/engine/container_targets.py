"""The addresses that a node's containers use, or that their network must not cover. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from oz_installer.checks.context import CheckContext, CheckedNode
from oz_installer.checks.network.egress import EgressCheck, destinations, is_direct
from oz_installer.checks.network.port_probe import required_connections


@dataclass(frozen=True, kw_only=True)
class ContainerTarget:
    """An address that the test container tries; with port 0 only its route matters.

    ``title`` is its name in findings, ``answer`` the key that holds the host. ``large`` is what is sent to
    it as one large packet. ``vital``: the services do not start without it."""

    key: str
    title: str
    host: str
    port: int = 0
    answer: str = ""
    large: Literal["postgres", "redis", ""] = ""
    vital: bool = True

    @property
    def address(self) -> str:
        """Host and port as findings show them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def words(self) -> tuple[str, str, str, str]:
        """The arguments of ``reach.sh``."""
        return self.key, self.host, str(self.port or "-"), self.large or "-"


def container_targets(context: CheckContext, node: CheckedNode) -> tuple[ContainerTarget, ...]:
    """Return the targets of a node, each key once."""
    found = (*_services(context, node), *_nodes(context, node), *_egress(context, node), *_others(context))
    return tuple({one.key: one for one in reversed(found) if one.host}.values())[::-1]


def _services(context: CheckContext, node: CheckedNode) -> Iterator[ContainerTarget]:
    """Yield the external services that the API uses."""
    answers = context.answers
    if "api" not in node.roles:
        return
    if host := answers.database.host:
        yield ContainerTarget(
            key="database",
            title="the database",
            host=host,
            port=answers.database.port,
            answer="database.host",
            large="postgres",
        )
    if host := answers.broker.host:
        yield ContainerTarget(
            key="broker",
            title="the broker",
            host=host,
            port=answers.broker.effective_port,
            answer="broker.host",
            large="redis" if answers.broker.type == "redis" else "",
        )
    if url := answers.components.regula:
        yield _url("regula", "Regula", url, "components.regula")


def _nodes(context: CheckContext, node: CheckedNode) -> Iterator[ContainerTarget]:
    """Yield the ports of other nodes that the node's services use."""
    if context.topology is None:
        return
    for connection in required_connections(context.topology):
        if connection.source == node.name:
            yield ContainerTarget(
                key=f"{connection.target}-{connection.port}",
                title=f"{connection.target} ({connection.purpose})",
                host=context.topology.node(connection.target).address,
                port=connection.port,
                answer="nodes",
            )


def _egress(context: CheckContext, node: CheckedNode) -> Iterator[ContainerTarget]:
    """Yield the proxy and the vendor's hosts that are reached without it."""
    if context.answers.air_gapped or node not in EgressCheck().nodes(context):
        return
    proxy = context.answers.proxy
    if proxy.url:
        yield _url("proxy", "the proxy", proxy.url, "proxy.url")
    for one in destinations(context):
        if not proxy.url or is_direct(one.host, proxy.no_proxy):
            yield ContainerTarget(key=one.host, title=one.host, host=one.host, port=one.port, vital=False)


def _others(context: CheckContext) -> Iterator[ContainerTarget]:
    """Yield what the node itself talks to: the kernel mounts media, the engine pulls images."""
    answers = context.answers
    yield ContainerTarget(key="storage", title="the NFS server", host=answers.storage.server or "")
    registry = urlsplit(f"//{answers.registry.server or ''}").hostname or ""
    yield ContainerTarget(key="registry", title="the registry", host=registry)
    for one in answers.nodes:
        yield ContainerTarget(key=f"node-{one.name}", title=one.name, host=one.address or one.host)


def _url(key: str, title: str, url: str, answer: str) -> ContainerTarget:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return ContainerTarget(
        key=key, title=title, host=parts.hostname or "", port=port, answer=answer, vital=False
    )
