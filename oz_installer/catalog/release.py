"""Scenarios and releases, loaded from the YAML files beside this module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml

from oz_installer.catalog.decode import decode
from oz_installer.errors import OzError
from oz_installer.frozen import dataclass

Stage = Literal["foundation", "bio", "app", "edge"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Part = Literal[
    "database", "redis", "rabbitmq", "updater", "bio", "bio-balancer", "o2n", "api", "statistic", "web",
    "web-ui", "load-balancer",
]  # fmt: skip
HERE = Path(__file__).parent
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The resources of a node: CPU in cores, memory and disk in GB."""

    cpu: int
    memory: int
    disk: int = 50


@dataclass(frozen=True, kw_only=True)
class LayoutNode:
    """One node of a layout: its roles and resources."""

    roles: tuple[str, ...]
    needs: Resources


@dataclass(frozen=True, kw_only=True)
class Layout:
    """An assignment of roles to a number of nodes."""

    name: str
    nodes: tuple[LayoutNode, ...]


Platform = Literal["compose", "kubernetes"]
INSTALLABLE: tuple[Platform, ...] = ("compose",)
"""Platforms that this version installs on."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario of the vendor's table; ``most_...`` is its maximum load, None: no limit."""

    name: str
    title: str
    platform: Platform
    use_cases: tuple[str, ...]
    apm: str
    analyses_per_month: str
    environment: str
    ha: str
    autoscaling: str
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    staff: str
    external: tuple[str, ...]
    bundled_database: bool
    layouts: tuple[Layout, ...]
    max_nodes: int
    most_apm: int | None = None
    most_per_month: int | None = None


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
class Endpoint:
    """A URL for the summary: a path at the first open port of a service."""

    label: str
    service: str
    path: str = "/"


@dataclass(frozen=True, kw_only=True)
class Note:
    """A note for the operator, shown when a condition holds; may contain ``{install_dir}``."""

    text: str
    when: str


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A mount of a container.

    ``source`` is a file of the bundle (``config/...``), ``data:NAME`` (a folder below install_dir),
    ``volume:NAME`` (a volume of the engine), ``media`` (the storage of the answers) or ``licence:KEY``. With
    ``watch``, a change of the file concerns the service.
    """

    source: str
    target: str
    writable: bool = False
    watch: bool = True


@dataclass(frozen=True, kw_only=True)
class Service:
    """One component of Oz as a container. Strings may contain ``{name}`` of the wiring.

    ``when``: the condition in ``topology/planner.py`` that enables it. ``copies``: ``node`` is one on each
    node of its role, ``one`` a single one in the installation, ``bio`` one per BIO, spread over the nodes of
    its role. A ``job`` runs to completion, and again when its definition or a file that it reads changes;
    with ``once`` only when its environment changes. ``secrets``: those that it needs and that oz-install can
    generate. ``egress``: it calls the vendor. ``part``: its function for other services. ``listens``: its
    port, if none is published. ``connections``: the number of database connections that it holds.
    """

    name: str
    title: str
    image: str
    role: Literal["api", "bio"]
    copies: Literal["node", "one", "bio"] = "node"
    when: str = "always"
    part: Part | None = None
    listens: int | None = None
    stage: Stage = "app"
    job: bool = False
    once: bool = False
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


@dataclass(frozen=True, kw_only=True)
class MinimumVersions:
    """The minimum versions of a container engine and its Compose, as the vendor writes them."""

    engine: str
    compose: str


@dataclass(frozen=True, kw_only=True)
class CpuFlags:
    """CPU flags of /proc/cpuinfo: required by the BIO, and recommended because it is faster."""

    required: tuple[str, ...]
    recommended: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatabaseRequirements:
    """The required encoding, locale and extensions of the API's database."""

    encoding: str
    locale: str
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Egress:
    """A URL that the vendor's components call, and its purpose.

    If its host is a pattern, ``example`` is a URL that can be tried; it may contain ``{updater_host}``.
    """

    url: str
    purpose: str
    example: str | None = None


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release line: its engines, brokers, images and services, in the order of their start.

    ``nodes``: resources of nodes by role, for nodes outside a layout. ``sslmodes``: those that the images
    support, the strictest last; ``sslmodes_reason``: why no others. ``redis_databases``: numbers by purpose.
    ``derived_settings``: settings of ``config`` that follow from other answers. ``egress``: URLs that
    services with ``egress`` call. ``python``: the minimum version on a node. ``media_reader``: the user id
    that reads the media files that root has written.
    """

    name: str
    title: str
    engines: Mapping[str, MinimumVersions]
    brokers: tuple[str, ...]
    redis_databases: Mapping[str, int]
    sslmodes: tuple[str, ...]
    sslmodes_reason: str
    nodes: tuple[LayoutNode, ...]
    python: str
    bio_cpu: CpuFlags
    database: DatabaseRequirements
    egress: tuple[Egress, ...]
    images: Mapping[str, str]
    restart: str
    log_driver: str
    log_options: Mapping[str, str]
    config: Mapping[str, Any]
    derived_settings: tuple[str, ...]
    notes: tuple[Note, ...]
    endpoints: tuple[Endpoint, ...]
    services: tuple[Service, ...]
    media_reader: int | None = None

    def service(self, name: str) -> Service:
        """Return the service of that name. Raises KeyError when there is none."""
        return next((s for s in self.services if s.name == name), None) or _missing(name)


def _missing(name: str) -> Service:
    raise KeyError(name)


_VERSION = re.compile(r"\d+(\.\d+)+")


def validate_release(release: Release) -> None:
    """Raise ValueError where parts of a release are inconsistent, so that it is noticed early."""
    for name, oldest in release.engines.items():
        for version in (oldest.engine, oldest.compose):
            if not _VERSION.fullmatch(version):
                raise ValueError(f"engines.{name}: {version!r} is not a version")
    for service in release.services:
        if service.part and not service.listens and not service.ports:
            raise ValueError(f"{service.name}: a service with the part {service.part} needs listens or ports")
    for endpoint in release.endpoints:
        found = next((service for service in release.services if service.name == endpoint.service), None)
        if found is None:
            raise ValueError(f"endpoints: {endpoint.label}: there is no service {endpoint.service}")
        if not any(port.when in ("always", found.when) for port in found.ports):
            raise ValueError(
                f"endpoints: {endpoint.label}: {endpoint.service} has no port that is always open"
            )


@cache
def releases() -> tuple[str, ...]:
    """Return the names of the releases in the catalogue, oldest first."""
    names = (path.stem for path in (HERE / "releases").glob("*.yml"))
    return tuple(sorted(names, key=lambda name: [int(part) for part in name.split(".")]))


@cache
def load_release(name: str) -> Release:
    """Load ``releases/NAME.yml``. Raises OzError when the catalogue itself is broken."""
    return _read(HERE / "releases" / f"{name}.yml", Release)


@cache
def load_scenarios() -> Mapping[str, Scenario]:
    """Load ``scenarios.yml``. Raises OzError when the catalogue itself is broken."""
    document = _document(HERE / "scenarios.yml")
    try:
        return {key: decode(Scenario, {"name": key, **value}, key) for key, value in document.items()}
    except (TypeError, ValueError) as error:
        raise OzError(f"the catalogue's scenarios.yml is broken: {error}") from error


def _document(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - one of the two safe loaders
    return document


def _read(path: Path, kind: type[T]) -> T:
    try:
        built: T = decode(kind, _document(path), path.stem)
        if isinstance(built, Release):
            validate_release(built)
        return built
    except (TypeError, ValueError, KeyError, yaml.YAMLError) as error:
        raise OzError(f"the catalogue's {path.name} is broken: {error}") from error
