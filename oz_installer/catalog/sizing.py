"""Size an installation for a workload: BIO instances, storage, scenario and nodes.

Formulas and figures are the vendor's. Inferred here: a month has 30 days, an order has one analysis, loads
between two of the vendor's figures are interpolated linearly, the nodes of a layout share its load evenly,
and a cluster has two nodes in addition to those of the BIOs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Protocol

from oz_installer.catalog.scenario import Scenario, ScenarioName, load_scenarios

DAYS = 30
"""Days per month."""

_MEDIA_PER_ANALYSIS = 2
_GB_OF_ORDERS = 4 / 100_000
_HA_NODES = 4
_MIN_CLUSTER_NODES = 3
_OTHER_CLUSTER_NODES = 2


class WorkloadFigures(Protocol):
    """The workload figures that sizing reads, None if not given; the answers' ``Workload`` fits."""

    @property
    def apm(self) -> float | None: ...

    @property
    def analyses_per_month(self) -> float | None: ...

    @property
    def media_mb(self) -> float | None: ...

    @property
    def analyses_per_day(self) -> float | None: ...

    @property
    def archive_days(self) -> int | None: ...

    @property
    def needs_ha(self) -> bool: ...

    @property
    def needs_autoscaling(self) -> bool: ...


@dataclass(frozen=True)
class Sizing:
    """The size of an installation; None where the workload gives too little.

    GB are decimal (10^9 bytes); ``database_gb`` is that of API 6. ``reason`` is one sentence; ``derived`` are
    sentences on estimated figures and their sources.
    """

    bio_instances: int | None
    storage_gb: float | None
    database_gb: float | None
    scenario: ScenarioName
    reason: str
    nodes: int | None
    derived: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Load:
    """The completed workload: analyses per minute at peak load, per month and per day.

    ``given`` are the operator's own figures per minute and per month.
    """

    apm: float | None
    month: float | None
    day: float | None
    given: tuple[float | None, float | None]
    derived: tuple[str, ...]


def size(workload: WorkloadFigures, *, seconds: float = 3.0, concurrency: int = 2) -> Sizing:
    """Size an installation; all numbers are above zero.

    ``seconds`` is the duration of an analysis, ``concurrency`` the number of parallel analyses per BIO.
    """
    load = _complete(workload)
    bios = None if load.apm is None else max(1, ceil(load.apm * seconds / (60 * concurrency) - 1e-9))
    storage = database = None
    if load.day is not None and workload.archive_days is not None:
        database = load.day * workload.archive_days * _GB_OF_ORDERS
        if workload.media_mb is not None:
            storage = workload.media_mb * _MEDIA_PER_ANALYSIS * load.day * workload.archive_days / 1000
    scenario, nodes, reason = _choose(load, bios, workload)
    return Sizing(bios, storage, database, scenario, reason, nodes, load.derived)


def _complete(workload: WorkloadFigures) -> _Load:
    apm, month, day = workload.apm, workload.analyses_per_month, workload.analyses_per_day
    given = (apm, month if month is not None else None if day is None else day * DAYS)
    derived: list[str] = []
    if month is None and day is not None:
        month = day * DAYS
        derived.append(
            f"{format_number(month)} analyses per month: {format_number(day)} per day, {DAYS} days."
        )
    if month is None and apm is not None:
        month = _interpolated(apm, inverse=True)
        derived.append(
            _estimate(f"{format_number(month)} analyses per month", f"{format_number(apm)} per minute")
        )
    if apm is None and month is not None:
        apm = _interpolated(month)
        derived.append(
            _estimate(f"{format_number(apm)} analyses per minute", f"{format_number(month)} per month")
        )
    if day is None and month is not None:
        day = month / DAYS
        derived.append(
            f"{format_number(day)} analyses per day: {format_number(month)} per month, {DAYS} days."
        )
    return _Load(apm, month, day, given, tuple(derived))


def _estimate(figure: str, source: str) -> str:
    return f"About {figure}, estimated from {source} by the vendor's figures."


def _interpolated(value: float, *, inverse: bool = False) -> float:
    """Interpolate analyses per minute from those per month (``inverse``: the other way).

    The line goes through the scenarios' figures.
    """
    points = [(0, 0)]
    for scenario in load_scenarios().values():
        if scenario.most_per_month is not None and scenario.most_apm is not None:
            points.append((scenario.most_per_month, scenario.most_apm))
    points = [(apm, month) for month, apm in points] if inverse else points
    for low, high in pairwise(points):
        if value <= high[0]:
            return low[1] + (value - low[0]) * (high[1] - low[1]) / (high[0] - low[0])
    return value * points[-1][1] / points[-1][0]


def _choose(load: _Load, bios: int | None, workload: WorkloadFigures) -> tuple[ScenarioName, int | None, str]:
    """Return the scenario, the number of nodes and the reason in one sentence."""
    poc, medium = load_scenarios()["poc"], load_scenarios()["medium"]
    cluster = max(_MIN_CLUSTER_NODES, (bios or 1) + _OTHER_CLUSTER_NODES)
    if over := _over(load, medium, "medium load carries"):
        return "high-load", cluster, f"{over}: high load, on Kubernetes."
    if workload.needs_autoscaling:
        need = "Autoscaling, and high availability of most components, need Kubernetes"
        return "high-load", cluster, f"{need}: high load."
    if workload.needs_ha:
        carried = _within(load, medium, "they carry")
        need = "High availability needs two API and two BIO nodes: medium load with 4 nodes"
        return "medium", _HA_NODES, f"{need}; {carried}." if carried else f"{need}."
    if over := _over(load, poc, "a PoC carries"):
        nodes = _medium_nodes(load, medium)
        return "medium", nodes, f"{over}: medium load, with {nodes} nodes."
    if within := _within(load, poc, "a PoC carries"):
        return "poc", poc.max_nodes, f"{within}: one node for the BIO and one for the API."
    return "poc", None, "No workload is given: a PoC is the smallest installation."


def _figures(load: _Load, scenario: Scenario) -> list[tuple[float, int, str]]:
    """Return the given figures, each with the scenario's maximum and its unit of time."""
    both = zip(load.given, (scenario.most_apm, scenario.most_per_month), ("minute", "month"), strict=True)
    return [(value, most, per) for value, most, per in both if value is not None and most is not None]


def _over(load: _Load, scenario: Scenario, carries: str) -> str | None:
    """Describe the first given figure above the scenario's maximum; None when there is none."""
    for value, most, per in _figures(load, scenario):
        if value > most:
            wanted, carried = format_number(value), format_number(most)
            return f"{wanted} analyses per {per} are more than the {carried} that {carries}"
    return None


def _within(load: _Load, scenario: Scenario, carries: str) -> str | None:
    """Describe the first given figure within the scenario's maximum; None when none is given."""
    for value, most, per in _figures(load, scenario):
        return (
            f"{format_number(value)} analyses per {per} are within the {format_number(most)} that {carries}"
        )
    return None


def _medium_nodes(load: _Load, medium: Scenario) -> int:
    """Return the number of medium nodes, each with an equal share of the scenario's maximum."""
    least = min(len(layout.nodes) for layout in medium.layouts)
    return max(least, *(ceil(value * medium.max_nodes / most) for value, most, _ in _figures(load, medium)))


def format_number(value: float) -> str:
    """Format a number for people: large ones with commas, small ones with a decimal."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value > 1 else f"{value:.2g}"
