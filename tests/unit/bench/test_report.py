"""Figures and tables of the benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import README, RESULTS
from bench.report import BEGIN, END, Limit, deployments, limits, replace_marked
from bench.report_wizard import wizard_limits, wizard_table
from bench.samples import Cost, Sample, Samples, median, percentile, ratio
from bench.tools import FLOOR, FLOOR_CHECK, NOOP, ONE, OURS
from bench.wizard import NODES


def _samples(folder: Path, *rows: tuple[str, str, float]) -> Samples:
    samples = Samples(folder / "samples.jsonl")
    for tool, phase, seconds in rows:
        cost = Cost(seconds=seconds, cpu=0.1, largest_kib=50_000)
        samples.add(Sample(tool=tool, phase=phase, nodes=4, cost=cost))
    return samples


def test_limits_compare_medians(tmp_path: Path) -> None:
    rows = [(OURS, NOOP, value) for value in (9.0, 1.0, 0.9)]
    samples = _samples(tmp_path, *rows, (FLOOR_CHECK, NOOP, 1.0), (OURS, ONE, 2.0), (FLOOR, ONE, 1.0))
    verdicts = {limit.what: (limit.value, limit.verdict) for limit in limits(samples, None)}
    assert verdicts["nothing to do, 4 nodes: oz-install / FLOOR-CHECK"] == (1.0, "met")
    assert verdicts["one setting changed: oz-install / FLOOR"] == (2.0, "**not met**")
    assert verdicts["fresh: oz-install / FLOOR"] == (None, "not measured")


def test_table_shows_ratios_to_the_floor_of_the_column(tmp_path: Path) -> None:
    text = deployments(_samples(tmp_path, (OURS, NOOP, 1.5), (FLOOR_CHECK, NOOP, 1.0)))
    assert "| **oz-install** | 1.50 s (1.50 ×) |" in text
    assert "| FLOOR-CHECK: plain OpenSSH, asks first | 1.00 s |" in text
    assert "Ansible" not in text


@pytest.mark.parametrize(
    ("value", "least", "verdict"),
    [(1.3, False, "met"), (1.31, False, "**not met**"), (1.3, True, "met"), (1.29, True, "**not met**")],
)
def test_a_limit_holds_at_its_edge(value: float, least: bool, verdict: str) -> None:
    assert Limit(what="x", limit=1.3, value=value, least=least).verdict == verdict


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    assert replace_marked(f"a\n{BEGIN}\nold\n{END}\nb\n", "new") == f"a\n{BEGIN}\nnew\n{END}\nb\n"
    with pytest.raises(ValueError, match="no markers"):
        replace_marked("a", "new")


def test_both_files_that_bench_writes_have_the_markers() -> None:
    for file in (RESULTS, README):
        text = file.read_text()
        assert replace_marked(text, "new") != text


def test_nothing_measured_gives_nothing() -> None:
    assert median([]) is None
    assert ratio(None, 1.0) is None
    assert ratio(1.0, None) is None


def test_the_slowest_screen_counts(tmp_path: Path) -> None:
    samples = Samples(tmp_path / "samples.jsonl")
    for screen, high in (("nodes", 0.009), ("access", 0.017)):
        for place in range(100):
            cost = Cost(seconds=high if place >= 90 else 0.004, cpu=0.0, largest_kib=0)
            samples.add(Sample(tool="typing", phase=screen, nodes=NODES, cost=cost))
    first, key, longest = (limit.row() for limit in wizard_limits(samples))
    assert key[2:] == ("17.00 ms", "**not met**")
    assert first[3] == longest[3] == "not measured"
    assert "| access | 4.0 ms, 17.0 ms | – |" in wizard_table(samples)


def test_percentiles() -> None:
    assert percentile([], 0.95) is None
    assert percentile(range(1, 101), 0.95) == 95
