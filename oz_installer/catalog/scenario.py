"""The vendor's scenarios: layouts, resources and the platform that each runs on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from oz_installer.catalog import yaml_files
from oz_installer.catalog.decode import decode
from oz_installer.errors import OzError
from oz_installer.frozen import dataclass

ScenarioName = Literal["poc", "medium", "high-load"]


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


PlatformName = Literal["compose", "kubernetes"]


INSTALLABLE: tuple[PlatformName, ...] = ("compose",)
"""Platforms that this version installs on."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario of the vendor's table; ``most_...`` is its maximum load, None: no limit."""

    name: str
    title: str
    platform: PlatformName
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


@cache
def load_scenarios() -> Mapping[str, Scenario]:
    """Load ``scenarios.yml``. Raises OzError when the catalogue itself is broken."""
    document = yaml_files.read_yaml(yaml_files.HERE / "scenarios.yml")
    try:
        return {key: decode(Scenario, {"name": key, **value}, key) for key, value in document.items()}
    except (TypeError, ValueError) as error:
        raise OzError(f"the catalogue's scenarios.yml is broken: {error}") from error
