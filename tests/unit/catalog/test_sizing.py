"""Sizing by the vendor's formulas and figures (FACTS, section 1)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oz_installer.answers.sections import Workload
from oz_installer.catalog.scenario import load_scenarios
from oz_installer.catalog.sizing import Sizing, format_number, size


def sized(**told: Any) -> Sizing:
    return size(Workload(**told))


@pytest.mark.parametrize(
    ("apm", "seconds", "concurrency", "instances"),
    [
        (1, 3, 2, 1),
        (40, 3, 2, 1),
        (40.1, 3, 2, 2),
        (60, 3, 2, 2),
        (80, 3, 2, 2),
        (81, 3, 2, 3),
        (60, 6, 1, 6),
    ],
)
def test_bio_instances(apm: float, seconds: float, concurrency: int, instances: int) -> None:
    made = size(Workload(apm=apm), seconds=seconds, concurrency=concurrency)
    assert made.bio_instances == instances


def test_storage_and_database_in_decimal_gigabytes() -> None:
    made = sized(media_mb=5, analyses_per_day=10_000, archive_days=30)
    assert made.storage_gb == 5 * 2 * 10_000 * 30 / 1000 == 3000
    assert made.database_gb == pytest.approx(12)  # 300 000 orders of 4 GB per 100 000
    assert sized(media_mb=5, analyses_per_day=10_000).storage_gb is None
    assert sized(analyses_per_day=10_000, archive_days=1).storage_gb is None


SCENARIOS: tuple[tuple[dict[str, Any], str, int | None], ...] = (
    ({}, "poc", None),
    ({"apm": 8}, "poc", 2),
    ({"apm": 8.5}, "medium", 2),
    ({"apm": 45}, "medium", 3),
    ({"apm": 60}, "medium", 4),
    ({"apm": 61}, "high-load", 4),
    ({"analyses_per_month": 250_000}, "poc", 2),
    ({"analyses_per_month": 250_001}, "medium", 2),
    ({"analyses_per_month": 1_000_000}, "medium", 4),
    ({"analyses_per_month": 1_000_001}, "high-load", 4),
    ({"apm": 5, "analyses_per_month": 600_000}, "medium", 3),
    ({"analyses_per_day": 20_000}, "medium", 3),
    ({"needs_ha": True}, "medium", 4),
    ({"needs_ha": True, "apm": 99}, "high-load", 5),
    ({"needs_autoscaling": True}, "high-load", 3),
)
REASONS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "No workload is given: a PoC is the smallest installation."),
    (
        {"apm": 8},
        "8 analyses per minute are within the 8 that a PoC carries: "
        "one node for the BIO and one for the API.",
    ),
    (
        {"analyses_per_day": 20_000},
        "600,000 analyses per month are more than the 250,000 that a PoC carries: medium load, with 3 nodes.",
    ),
    (
        {"apm": 61},
        "61 analyses per minute are more than the 60 that medium load carries: high load, on Kubernetes.",
    ),
    (
        {"needs_ha": True},
        "High availability needs two API and two BIO nodes: medium load with 4 nodes.",
    ),
    (
        {"needs_ha": True, "apm": 5},
        "High availability needs two API and two BIO nodes: medium load with 4 nodes; "
        "5 analyses per minute are within the 60 that they carry.",
    ),
    (
        {"needs_autoscaling": True},
        "Autoscaling, and high availability of most components, need Kubernetes: high load.",
    ),
)


@pytest.mark.parametrize(("told", "scenario", "nodes"), SCENARIOS)
def test_scenario_and_nodes(told: dict[str, Any], scenario: str, nodes: int | None) -> None:
    made = sized(**told)
    assert (made.scenario, made.nodes) == (scenario, nodes)


@pytest.mark.parametrize(("told", "reason"), REASONS)
def test_reason(told: dict[str, Any], reason: str) -> None:
    assert sized(**told).reason == reason


def test_what_is_not_told_is_derived_and_said_so() -> None:
    made = sized(analyses_per_month=1_000_000, media_mb=1, archive_days=3)
    assert made.bio_instances == 2
    assert made.storage_gb == pytest.approx(200)
    assert made.derived == (
        "About 60 analyses per minute, estimated from 1,000,000 per month by the vendor's figures.",
        "33,333 analyses per day: 1,000,000 per month, 30 days.",
    )
    assert sized(apm=60, media_mb=1, archive_days=3).storage_gb == pytest.approx(200)
    assert sized(analyses_per_day=100).derived[0] == "3,000 analyses per month: 100 per day, 30 days."
    assert sized(apm=8, analyses_per_month=9, analyses_per_day=1).derived == ()


@given(st.floats(1e-9, 1e12), st.floats(1e-9, 1e12), st.booleans())
def test_any_workload_has_a_scenario_with_nodes(apm: float, month: float, ha: bool) -> None:
    for told in ({"apm": apm}, {"analyses_per_month": month}, {"apm": apm, "analyses_per_month": month}):
        made = sized(**told, needs_ha=ha)
        assert made.bio_instances is not None
        assert made.bio_instances >= 1
        assert made.nodes is not None
        layouts = [len(layout.nodes) for layout in load_scenarios()[made.scenario].layouts]
        assert made.nodes in layouts or made.scenario == "high-load"
        assert made.reason.endswith(".")


def test_figures_for_people() -> None:
    numbers = (8, 8.25, 250_000, 33_333.3, 0.04)
    assert [format_number(one) for one in numbers] == ["8", "8.2", "250,000", "33,333", "0.04"]
