"""The container engines of Oz, and their differences for files, checks and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from oz_installer.frozen import dataclass
from oz_installer.image_reference import full_name


@dataclass(frozen=True, kw_only=True)
class EngineTraits:
    """One container engine.

    ``restart`` and ``log_driver`` replace the release's where the engine needs others. Members of ``group``
    may use the engine without root; it is empty where every login may (rootless).
    """

    name: str
    title: str
    compose_title: str
    has_daemon: bool
    """The engine is a service, which can be down, hang, be masked or be started."""
    publishes_past_firewall: bool
    """Published ports bypass the host's input rules; only forwarding rules filter them."""
    adds_registry: bool
    """An image name without a registry means Docker Hub."""
    keeps_dependencies: bool
    """``depends_on`` does not stop Compose from replacing a container that others need."""
    lookup_shows_login: bool
    """Looking up an image uses the given login; otherwise only a pull shows whether it is valid."""
    limits_processes: bool
    """The engine limits the number of a container's processes by itself."""
    mtu_option: str
    """The option of a network that sets its MTU."""
    group: str = ""
    restart: Mapping[str, str] = field(default_factory=dict)
    log_driver: str | None = None
    notes: tuple[str, ...] = ()

    def image_name(self, image: str) -> str:
        """Return the image name for this engine: with a registry if the engine does not add one."""
        return image if self.adds_registry else full_name(image)


ENGINES: Mapping[str, EngineTraits] = {
    "docker": EngineTraits(
        name="docker",
        title="Docker",
        compose_title="Docker Compose",
        has_daemon=True,
        publishes_past_firewall=True,
        adds_registry=True,
        keeps_dependencies=True,
        lookup_shows_login=True,
        limits_processes=False,
        mtu_option="com.docker.network.driver.mtu",
        group="docker",
    ),
    "podman": EngineTraits(
        name="podman",
        title="Podman",
        compose_title="podman-compose",
        has_daemon=False,
        publishes_past_firewall=False,
        adds_registry=False,
        # podman-compose turns depends_on into --requires; Podman does not replace a required container
        keeps_dependencies=False,
        # older versions ignore the login
        lookup_shows_login=False,
        limits_processes=True,
        mtu_option="mtu",
        # after a reboot podman-restart.service starts only containers with "always"
        restart={"unless-stopped": "always"},
        log_driver="k8s-file",
        notes=(
            "Podman restarts containers after a reboot only with its own unit: "
            "run systemctl enable podman-restart on every node.",
        ),
    ),
}
