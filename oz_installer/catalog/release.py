"""A release line of Oz API, loaded from its YAML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from oz_installer.catalog import yaml_files
from oz_installer.catalog.decode import decode
from oz_installer.catalog.scenario import LayoutNode
from oz_installer.catalog.service import Service
from oz_installer.errors import OzError
from oz_installer.frozen import dataclass

T = TypeVar("T")


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
class Hardening:
    """Limits of every container, in Compose's own words: what a process in it may not do."""

    security_opt: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    pids_limit: int = 0


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release line: its engines, brokers, images and services, in the order of their start.

    ``nodes``: resources of nodes by role, for nodes outside a layout. ``sslmodes``: those that the images
    support, the strictest last; ``sslmodes_reason``: why no others; ``sslmodes_with_ca``: those that need the
    authorities of ``database.ca_file``. ``redis_databases``: numbers by purpose.
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
    sslmodes_with_ca: tuple[str, ...]
    hardening: Hardening
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
    names = (path.stem for path in (yaml_files.HERE / "releases").glob("*.yml"))
    return tuple(sorted(names, key=lambda name: [int(part) for part in name.split(".")]))


@cache
def load_release(name: str) -> Release:
    """Load ``releases/NAME.yml``. Raises OzError when the catalogue itself is broken."""
    return _read(yaml_files.HERE / "releases" / f"{name}.yml", Release)


def _read(path: Path, kind: type[T]) -> T:
    try:
        built: T = decode(kind, yaml_files.read_yaml(path), path.stem)
        if isinstance(built, Release):
            validate_release(built)
        return built
    except (TypeError, ValueError, KeyError, yaml.YAMLError) as error:
        raise OzError(f"the catalogue's {path.name} is broken: {error}") from error
