"""Scenarios and releases as the YAML files beside this module hold them."""

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
    """What a layout's node needs. CPU in cores, memory and disk in GB."""

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
    """An arrangement of roles over a number of nodes."""

    name: str
    nodes: tuple[LayoutNode, ...]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One column of the vendor's table of scenarios; ``most_...`` it carries, None: without end."""

    name: str
    title: str
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
    """A container's health check: exactly one of ``get``, ``shell`` and ``argv``; times in seconds."""

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

    ``seen_by`` names who connects: ``users``, ``api`` or ``bio`` (nodes of that role), ``monitoring``.
    """

    host: int
    container: int
    purpose: str
    clients: tuple[str, ...] = ("users",)
    last: int | None = None
    when: str = "always"


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """A path that answers 200 when all is well, over the first published port of the service or of what plays
    the part ``through`` on its node. Asked by its own ``node``, or by every ``api`` node."""

    path: str
    by: Literal["node", "api"] = "node"
    through: Part | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A URL worth telling: a path at the first open port of a service."""

    label: str
    service: str
    path: str = "/"


@dataclass(frozen=True, kw_only=True)
class Note:
    """What the operator should know when a condition holds; may name ``{install_dir}``."""

    text: str
    when: str


@dataclass(frozen=True, kw_only=True)
class Mount:
    """``source`` is a file of the bundle (``config/...``), ``data:NAME`` (a folder below install_dir),
    ``volume:NAME`` (the engine's own volume), ``media`` (the storage of the answers) or
    ``licence:KEY``. A change of a file that is not ``watch``ed does not concern the service."""

    source: str
    target: str
    writable: bool = False
    watch: bool = True


@dataclass(frozen=True, kw_only=True)
class Service:
    """One component of Oz as a container. Strings may hold ``{name}`` of the wiring.

    ``when`` names the condition in ``topology/planner.py`` that switches it on; ``copies`` says how many:
    ``node`` one on every node of its role, ``one`` a single one in the installation, ``bio`` as many as
    there are BIOs, spread over the nodes of its role. A ``job`` runs to its end, again when its definition or
    a file that it reads changes; with ``once`` only when its environment changes. ``secrets`` are those that
    it needs and that can be made by us; ``egress``: it calls the vendor. ``part`` is what it is to other
    services; ``listens`` its port where none is published; ``connections`` how many to the database it holds.
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
        """Port at which its own node's containers reach it by name."""
        return self.listens or self.ports[0].container

    @property
    def published_port(self) -> int:
        """Port of its node at which all others reach it."""
        return self.ports[0].host


@dataclass(frozen=True, kw_only=True)
class MinimumVersions:
    """The oldest versions that do, as the vendor writes them: of a container engine and of its Compose."""

    engine: str
    compose: str


@dataclass(frozen=True, kw_only=True)
class CpuFlags:
    """Flags as /proc/cpuinfo has them: those that the BIO needs, and those that make it faster."""

    required: tuple[str, ...]
    recommended: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatabaseRequirements:
    """What the API's database must be like: encoding, locale, extensions."""

    encoding: str
    locale: str
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Egress:
    """A URL that the vendor's components call, and for what. Where its host is a pattern, ``example`` is
    a URL of it that can be tried; it may name ``{updater_host}``."""

    url: str
    purpose: str
    example: str | None = None


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release line: its engines, brokers, images and services, in the order of their start.

    ``nodes`` holds what a node of such roles needs where no layout says it; ``sslmodes`` those that the
    images can use, the strictest last, and ``sslmodes_reason`` why no other; ``redis_databases`` numbers by
    purpose; ``wired_settings`` those of ``config`` that follow from other answers; ``egress`` what services
    with ``egress`` call; ``python`` the oldest on a node; ``media_reader`` the user id that reads the media
    that root has written.
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
        """The service of that name; KeyError when there is none."""
        return next((s for s in self.services if s.name == name), None) or _missing(name)


def _missing(name: str) -> Service:
    raise KeyError(name)


_VERSION = re.compile(r"\d+(\.\d+)+")


def validate_release(release: Release) -> None:
    """Raises ValueError where parts of a release do not fit together, which would be noticed too late."""
    for name, oldest in release.engines.items():
        for version in (oldest.engine, oldest.compose):
            if not _VERSION.fullmatch(version):
                raise ValueError(f"engines.{name}: {version!r} is no version")
    for service in release.services:
        if service.part and not service.listens and not service.ports:
            raise ValueError(f"{service.name}: what plays the part {service.part} needs listens or ports")
    for door in release.endpoints:
        found = next((service for service in release.services if service.name == door.service), None)
        if found is None:
            raise ValueError(f"endpoints: {door.label}: there is no service {door.service}")
        if not any(port.when in ("always", found.when) for port in found.ports):
            raise ValueError(f"endpoints: {door.label}: {door.service} has no port that is always open")


@cache
def releases() -> tuple[str, ...]:
    """Names of the releases in the catalogue, oldest first."""
    names = (path.stem for path in (HERE / "releases").glob("*.yml"))
    return tuple(sorted(names, key=lambda name: [int(part) for part in name.split(".")]))


@cache
def load_release(name: str) -> Release:
    """Read ``releases/NAME.yml``. Raises OzError when the catalogue itself is broken."""
    return _read(HERE / "releases" / f"{name}.yml", Release)


@cache
def load_scenarios() -> Mapping[str, Scenario]:
    """Read ``scenarios.yml``."""
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
