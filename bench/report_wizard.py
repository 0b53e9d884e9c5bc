"""Samples of the wizard -> limits and a table. Pure."""

from __future__ import annotations

from bench.report import Limit, table
from bench.samples import Samples, percentile, ratio
from bench.tools import OURS
from bench.wizard import BARE_APP, FIRST, KINDS, LOOP, NODES


def wizard_limits(samples: Samples) -> list[Limit]:
    """The three targets of the wizard's speed."""
    paint = ratio(samples.seconds(OURS, FIRST, 0), samples.seconds(BARE_APP, FIRST, 0))
    slowest = [
        value for screen in _screens(samples) for kind in KINDS if (value := _key(samples, kind, screen))
    ]
    longest = [one.cost.seconds for one in samples.of(LOOP)]
    return [
        Limit(what=f"first paint: oz-install / {BARE_APP}", limit=1.25, value=paint),
        Limit(
            what=f"key to paint with {NODES} nodes, 95th percentile of the slowest screen",
            limit=16,
            value=max(slowest, default=None),
            unit=" ms",
        ),
        Limit(
            what="longest callback of the event loop, tests and installation included",
            limit=50,
            value=max(longest, default=0.0) * 1000 if longest else None,
            unit=" ms",
        ),
    ]


def wizard_table(samples: Samples) -> str:
    """Key to paint by screen, and the first paints."""
    rows = [(screen, *(_cell(samples, kind, screen) for kind in KINDS)) for screen in _screens(samples)]
    head = (f"key to paint, {NODES} nodes", *(f"{kind}: median, 95th percentile" for kind in KINDS))
    known = [(name, samples.seconds(name, FIRST, 0)) for name in (BARE_APP, OURS)]
    paints = [(name, f"{value * 1000:.0f} ms") for name, value in known if value is not None]
    parts = [table(("first paint", "median"), paints)] if paints else []
    return "\n\n".join([*parts, table(head, rows)] if rows else parts)


def _screens(samples: Samples) -> list[str]:
    return list(dict.fromkeys(one.phase for kind in KINDS for one in samples.of(kind)))


def _key(samples: Samples, kind: str, screen: str, share: float = 0.95) -> float | None:
    value = percentile((one.cost.seconds for one in samples.pick(kind, screen, NODES)), share)
    return None if value is None else value * 1000


def _cell(samples: Samples, kind: str, screen: str) -> str:
    middle, high = (_key(samples, kind, screen, share) for share in (0.5, 0.95))
    return "–" if middle is None or high is None else f"{middle:.1f} ms, {high:.1f} ms"
