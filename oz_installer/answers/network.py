"""The section ``network`` of the answers, and the rules of its values."""

from __future__ import annotations

import ipaddress

from oz_installer.answers.fields import ask
from oz_installer.frozen import dataclass

_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15")
_SHORTEST_PREFIX, _LONGEST_PREFIX = 12, 26
_LEAST_MTU, _MOST_MTU = 576, 9216


def subnet(value: str) -> str | None:
    """A private IPv4 network, large enough for the containers of a node."""
    try:
        network = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        return "should be an IPv4 network; such as 10.210.0.0/24"
    if value != str(network):
        return f"should be the network's own address and prefix; write {network}"
    if not _SHORTEST_PREFIX <= network.prefixlen <= _LONGEST_PREFIX:
        return f"should have a prefix from /{_SHORTEST_PREFIX} to /{_LONGEST_PREFIX}; such as 10.210.0.0/24"
    if not any(network.subnet_of(ipaddress.IPv4Network(one)) for one in _PRIVATE):
        return "should be a private network; such as 10.210.0.0/24"
    return None


def mtu(value: int) -> str | None:
    """The size of a packet that Ethernet and IPv4 allow."""
    return None if _LEAST_MTU <= value <= _MOST_MTU else f"should be from {_LEAST_MTU} to {_MOST_MTU}"


@dataclass(frozen=True, kw_only=True)
class Network:
    """The network of a node's containers."""

    subnet: str | None = ask(
        "Container subnet",
        "IPv4 network of the containers of each node, such as 10.210.0.0/24. Nothing that the nodes talk to "
        "may be in it. When left out, the engine chooses one.",
        default=None,
        rule=subnet,
        advanced=True,
    )
    mtu: int | None = ask(
        "Container MTU",
        "Largest packet of the containers, in bytes, where the network carries less than 1500.",
        default=None,
        rule=mtu,
        advanced=True,
    )
