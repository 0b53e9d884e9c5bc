"""Rules for the addresses of the answers: who must reach them, and from where."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from urllib.parse import urlsplit

from oz_installer.answers.model import Answers
from oz_installer.catalog.release import Release
from oz_installer.catalog.scenario import Scenario
from oz_installer.errors import Problem

_ANYWHERE = IPv4Address(0)


def reachable_addresses(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Reject loopback addresses where several nodes must reach each other."""
    for index, node in enumerate(answers.nodes):
        address = node.address or node.host
        if len(answers.nodes) > 1 and (
            address == "localhost" or address.startswith("127.") or address == "::1"
        ):
            yield Problem(
                key=f"nodes[{index}].address",
                message=f"the other nodes cannot reach this one as {address}",
                hint="set the address at which they reach it",
            )


def no_loopback(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Reject a loopback address for a service; in a container it is the container itself."""
    for key, host in _called_by_containers(answers):
        name = host.lower().rstrip(".")
        if name == "localhost" or name.endswith(".localhost") or (_ip(name) or _ANYWHERE).is_loopback:
            yield Problem(
                key=key,
                message=f"{host} is the container itself for the services that connect to it",
                hint="write the address at which other machines reach it",
            )


def free_subnet(answers: Answers, _scenario: Scenario, _release: Release) -> Iterator[Problem]:
    """Reject a container subnet that takes the addresses of nodes and services away."""
    if answers.network.subnet is None:
        return
    subnet = IPv4Network(answers.network.subnet)
    named = [(f"nodes[{index}]", one.address or one.host) for index, one in enumerate(answers.nodes)]
    named += [*_called_by_containers(answers), ("storage.server", answers.storage.server or "")]
    for key, host in named:
        if (address := _ip(host)) is not None and address in subnet:
            yield Problem(
                key="network.subnet",
                message=f"{host} ({key}) is in {subnet}: containers could not reach it",
                hint="choose a network that no machine is in",
            )


def _called_by_containers(answers: Answers) -> Iterator[tuple[str, str]]:
    """Yield key and host of each service outside that the containers connect to."""
    urls = (("proxy.url", answers.proxy.url), ("components.regula", answers.components.regula))
    yield from ((key, urlsplit(url).hostname or "") for key, url in urls if url)
    hosts = (("database.host", answers.database.host), ("broker.host", answers.broker.host))
    yield from ((key, host) for key, host in hosts if host)


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
