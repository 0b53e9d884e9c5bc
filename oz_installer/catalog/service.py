"""A service of a release: image, ports, health, mounts, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, get_args

from oz_installer.frozen import dataclass

StartStage = Literal["foundation", "bio", "app", "edge"]


STAGES: tuple[StartStage, ...] = get_args(StartStage)


Part = Literal[
    "database", "redis", "rabbitmq", "updater", "bio", "bio-balancer", "o2n", "api", "statistic", "web",
    "web-ui", "load-balancer",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """A container's health check: one of ``get``, ``shell`` and ``argv``; times in seconds."""

    get: str | None = None
    shell: str | None = None
    argv: tuple[str, ...] = ()
    interval: int = 60
    timeout: int = 10
    retries: int = 3
    start_period: int = 40


@dataclass(frozen=True, kw_only=True)
class Port:
    """A published TCP port: ``host`` on the node, ``container`` inside; ``last`` ends a range.

    ``clients`` are the parties that connect: ``users``, ``api`` or ``bio`` (nodes of that role),
    ``monitoring``.
    """

    host: int
    container: int
    purpose: str
    clients: tuple[str, ...] = ("users",)
    last: int | None = None
    when: str = "always"


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """A request that gets status 200 when the service works.

    It goes to the first published port of the service, or of the service with the part ``through`` on its
    node. ``by``: its own node sends it, or every api node.
    """

    path: str
    by: Literal["node", "api"] = "node"
    through: Part | None = None


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A mount of a container.

    ``source`` is a file of the bundle (``config/...``), ``data:NAME`` (a folder below install_dir),
    ``volume:NAME`` (a volume of the engine), ``media`` (the storage of the answers), ``licence:KEY``, or
    ``ca:database`` (the authorities of the answers). With ``watch``, a change of the file concerns the
    service. ``variable`` is an environment variable that names the target; ``when`` as for services.
    """

    source: str
    target: str
    writable: bool = False
    watch: bool = True
    variable: str = ""
    when: str = "always"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One component of Oz as a container. Strings may contain ``{name}`` of the wiring.

    ``when``: the condition in ``topology/planner.py`` that enables it. ``copies``: ``node`` is one on each
    node of its role, ``one`` a single one in the installation, ``bio`` one per BIO, spread over the nodes of
    its role. A ``job`` runs to completion, and again when its definition or a file that it reads changes;
    with ``once`` only when its environment or such a file changes. ``fills``: the mount in which it leaves
    its work, of its own (``data:NAME``) or of a service of its node (``volume:NAME``); when that is lost, it
    runs again.
    ``identity``: shell for the container that prints what its data are known by. ``secrets``: those that it
    needs and that oz-install can generate. ``egress``: it calls the vendor. ``part``: its function for other
    services. ``listens``: its port, if none is published. ``connections``: the number of database connections
    that it holds. ``open_files``: its limit of open files, where the engine's own is too high for it.
    """

    name: str
    title: str
    image: str
    role: Literal["api", "bio"]
    copies: Literal["node", "one", "bio"] = "node"
    when: str = "always"
    part: Part | None = None
    listens: int | None = None
    stage: StartStage = "app"
    job: bool = False
    once: bool = False
    fills: str | None = None
    identity: str | None = None
    queue: str | None = None
    command: tuple[str, ...] = ()
    shell: str | None = None
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    health: HealthCheck | None = None
    verify: VerifyRequest | None = None
    needs: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    egress: bool = False
    memory_mb: int | None = None
    open_files: int | None = None
    user: str | None = None
    connections: int = 0

    @property
    def container_port(self) -> int:
        """The port at which containers of the same node reach it by name."""
        return self.listens or self.ports[0].container

    @property
    def published_port(self) -> int:
        """The port of its node at which other nodes reach it."""
        return self.ports[0].host
