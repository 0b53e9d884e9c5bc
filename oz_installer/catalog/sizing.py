"""How large an installation must be: BIO instances, storage and scenario from the expected workload.

Formulas and figures are the vendor's. Inferred here: a month has 30 days, an order has one analysis, loads
between two of the vendor's figures lie on a straight line, the nodes of a layout share its load evenly, and a
cluster has two nodes beside those of the BIOs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Literal, Protocol

from oz_installer.catalog.release import Scenario, load_scenarios

ScenarioName = Literal["poc", "medium", "high-load"]
DAYS = 30
"""Days of a month."""

_MEDIA = 2
_GB_OF_ORDERS = 4 / 100_000
_HA_NODES = 4
_LEAST_CLUSTER = 3
_BESIDE_BIO = 2


class WorkloadFigures(Protocol):
    """What sizing reads of a workload, None where it is not given: the answers' ``Workload`` has it all."""

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
    """What a workload needs, None where too little is told. GB are decimal (10^9 bytes); ``database_gb`` is
    that of API 6. ``reason`` is one sentence; ``derived`` tells what was estimated, and from what.
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
    """The workload, completed: analyses a minute at the busiest time, a month and a day."""

    apm: float | None
    month: float | None
    day: float | None
    told: tuple[float | None, float | None]
    derived: tuple[str, ...]


def size(workload: WorkloadFigures, *, seconds: float = 3.0, concurrency: int = 2) -> Sizing:
    """Size an installation; all numbers are above zero.

    ``seconds`` is what an analysis takes, ``concurrency`` how many a BIO does at a time.
    """
    load = _completed(workload)
    bios = None if load.apm is None else max(1, ceil(load.apm * seconds / (60 * concurrency) - 1e-9))
    storage = database = None
    if load.day is not None and workload.archive_days is not None:
        database = load.day * workload.archive_days * _GB_OF_ORDERS
        if workload.media_mb is not None:
            storage = workload.media_mb * _MEDIA * load.day * workload.archive_days / 1000
    scenario, nodes, reason = _chosen(load, bios, workload)
    return Sizing(bios, storage, database, scenario, reason, nodes, load.derived)


def _completed(workload: WorkloadFigures) -> _Load:
    apm, month, day = workload.apm, workload.analyses_per_month, workload.analyses_per_day
    told = (apm, month if month is not None else None if day is None else day * DAYS)
    derived: list[str] = []
    if month is None and day is not None:
        month = day * DAYS
        derived.append(f"{format_number(month)} analyses a month: {format_number(day)} a day, {DAYS} days.")
    if month is None and apm is not None:
        month = _between(apm, inverse=True)
        derived.append(
            _estimate(f"{format_number(month)} analyses a month", f"{format_number(apm)} a minute")
        )
    if apm is None and month is not None:
        apm = _between(month)
        derived.append(
            _estimate(f"{format_number(apm)} analyses a minute", f"{format_number(month)} a month")
        )
    if day is None and month is not None:
        day = month / DAYS
        derived.append(f"{format_number(day)} analyses a day: {format_number(month)} a month, {DAYS} days.")
    return _Load(apm, month, day, told, tuple(derived))


def _estimate(made: str, source: str) -> str:
    return f"About {made}: an estimate from {source}, by the vendor's figures."


def _between(value: float, *, inverse: bool = False) -> float:
    """Analyses a minute of those a month, or the other way, on the line through the scenarios' figures."""
    points = [(0, 0)]
    for scenario in load_scenarios().values():
        if scenario.most_per_month is not None and scenario.most_apm is not None:
            points.append((scenario.most_per_month, scenario.most_apm))
    points = [(apm, month) for month, apm in points] if inverse else points
    for low, high in pairwise(points):
        if value <= high[0]:
            return low[1] + (value - low[0]) * (high[1] - low[1]) / (high[0] - low[0])
    return value * points[-1][1] / points[-1][0]


def _chosen(load: _Load, bios: int | None, workload: WorkloadFigures) -> tuple[ScenarioName, int | None, str]:
    """Scenario, nodes and the reason in one sentence."""
    poc, medium = load_scenarios()["poc"], load_scenarios()["medium"]
    cluster = max(_LEAST_CLUSTER, (bios or 1) + _BESIDE_BIO)
    if over := _over(load, medium, "medium load carries"):
        return "high-load", cluster, f"{over}: high load, on Kubernetes."
    if workload.needs_autoscaling:
        wish = "Autoscaling, and high availability of most components, need Kubernetes"
        return "high-load", cluster, f"{wish}: high load."
    if workload.needs_ha:
        carried = _within(load, medium, "they carry")
        wish = "High availability needs two API and two BIO nodes: medium load with 4 nodes"
        return "medium", _HA_NODES, f"{wish}; {carried}." if carried else f"{wish}."
    if over := _over(load, poc, "a PoC carries"):
        nodes = _share(load, medium)
        return "medium", nodes, f"{over}: medium load, with {nodes} nodes."
    if within := _within(load, poc, "a PoC carries"):
        return "poc", poc.max_nodes, f"{within}: one node for the BIO and one for the API."
    return "poc", None, "No workload is told: a PoC is the smallest installation."


def _figures(load: _Load, scenario: Scenario) -> list[tuple[float, int, str]]:
    """What the operator told, each with the most that the scenario carries."""
    both = zip(load.told, (scenario.most_apm, scenario.most_per_month), ("minute", "month"), strict=True)
    return [(value, most, per) for value, most, per in both if value is not None and most is not None]


def _over(load: _Load, scenario: Scenario, carries: str) -> str | None:
    """What was told and is more than the scenario carries."""
    for value, most, per in _figures(load, scenario):
        if value > most:
            wanted, carried = format_number(value), format_number(most)
            return f"{wanted} analyses a {per} are more than the {carried} that {carries}"
    return None


def _within(load: _Load, scenario: Scenario, carries: str) -> str | None:
    """What was told and is no more than the scenario carries."""
    for value, most, per in _figures(load, scenario):
        return f"{format_number(value)} analyses a {per} are within the {format_number(most)} that {carries}"
    return None


def _share(load: _Load, medium: Scenario) -> int:
    """Nodes of the medium scenario, each carrying its share of what all of them carry."""
    least = min(len(layout.nodes) for layout in medium.layouts)
    return max(least, *(ceil(value * medium.max_nodes / most) for value, most, _ in _figures(load, medium)))


def format_number(value: float) -> str:
    """A number for people: large ones with commas, small ones to a decimal."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value > 1 else f"{value:.2g}"
