"""The network of a node's containers in the Compose file."""

from __future__ import annotations

import hashlib
from typing import Any

from oz_installer.answers.network import Network
from oz_installer.catalog.engine import ENGINES
from oz_installer.render.project import PROJECT

DEFAULT = "default"
"""The network that Compose makes by itself."""


def network_key(network: Network) -> str:
    """Return its key in the Compose file.

    It depends on the options, since engines never change a network: services move to a new one."""
    if network == Network():
        return DEFAULT
    text = f"{network.subnet}:{network.mtu}"
    return f"net-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def network_name(network: Network) -> str:
    """Return its name on the engine."""
    return f"{PROJECT}_{network_key(network)}"


def network_options(network: Network, engine: str) -> dict[str, Any]:
    """Return its definition; empty when the engine chooses everything."""
    options: dict[str, Any] = {}
    if network.mtu:
        options["driver_opts"] = {ENGINES[engine].mtu_option: str(network.mtu)}
    if network.subnet:
        options["ipam"] = {"config": [{"subnet": network.subnet}]}
    return options
