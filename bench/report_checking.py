"""Samples of the preflight -> limits and a table. Pure."""

from __future__ import annotations

from bench.checked_nodes import CHECK, WHOLE
from bench.report import Limit, table
from bench.samples import Samples, ratio
from oz_installer.checks.all_checks import CHECKS


def checking_limits(samples: Samples) -> list[Limit]:
    """The two targets of the preflight's speed."""
    whole = samples.seconds(WHOLE, CHECK)
    alone = [seconds for _, seconds in _alone(samples)]
    return [
        Limit(what="preflight of 4 healthy nodes, the whole command", limit=3, value=whole, unit=" s"),
        Limit(
            what="the whole preflight / its slowest check alone",
            limit=1.4,
            value=ratio(whole, max(alone, default=None)),
        ),
    ]


def checking_table(samples: Samples) -> str:
    """Seconds of the whole and of each check alone, the slowest first."""
    whole = samples.seconds(WHOLE, CHECK)
    if whole is None:
        return ""
    rows = sorted(_alone(samples), key=lambda one: -one[1])
    cells = [(name, f"{seconds:.2f} s") for name, seconds in [(WHOLE, whole), *rows]]
    return table(("preflight, 4 nodes", "median"), cells)


def _alone(samples: Samples) -> list[tuple[str, float]]:
    known = [(check.name, samples.seconds(check.name, CHECK)) for check in CHECKS]
    return [(name, seconds) for name, seconds in known if seconds is not None]
