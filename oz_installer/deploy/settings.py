"""Settings of a run that are neither answers nor bundles."""

from __future__ import annotations

from dataclasses import field

from oz_installer.frozen import dataclass
from oz_installer.image_reference import DOCKER_HUB, registry_host
from oz_installer.secret import Masker, Secret

PULL_SILENCE_SECONDS = 900.0
"""Longest silence of a pull; a registry or a disk may be slow."""


@dataclass(frozen=True, kw_only=True)
class RegistryLogin:
    """User name and password for the image registry."""

    server: str
    username: str
    password: Secret


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Constant for a run. ``health_timeout`` (seconds) replaces each service's start timeout."""

    install_dir: str
    engine: str
    owner: str
    masker: Masker = field(default_factory=Masker)
    health_timeout: float | None = None
    registry: RegistryLogin | None = None

    def login_for(self, image: str) -> RegistryLogin | None:
        """Return the login of the answers if the image comes from its registry, else None."""
        if self.registry is None:
            return None
        server = self.registry.server.partition("/")[0] or DOCKER_HUB
        return self.registry if registry_host(image) == server else None
