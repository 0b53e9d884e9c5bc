"""What a run is told besides answers and bundles."""

from __future__ import annotations

from dataclasses import field

from oz_installer.frozen import dataclass
from oz_installer.secret import Masker, Secret


@dataclass(frozen=True, kw_only=True)
class RegistryLogin:
    """Login at the image registry."""

    server: str
    username: str
    password: Secret


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Fixed for a whole run. ``health_timeout`` in seconds replaces each service's own patience."""

    install_dir: str
    engine: str
    owner: str
    masker: Masker = field(default_factory=Masker)
    health_timeout: float | None = None
    registry: RegistryLogin | None = None
