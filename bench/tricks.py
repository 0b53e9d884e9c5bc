"""What each trick of the wizard is worth: keys with all of them, then with each off in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.report import table
from bench.samples import Samples, percentile
from bench.wizard import KINDS, NODES, keys
from oz_installer.tui.internals.switches import ALL

ALL_ON = "all on"
AGAIN = "all on again"
"""A second measurement of the same: its differences are noise."""

BUYS = 1.0
"""Milliseconds of the 95th percentile that a trick must buy on some screen to stay."""


def tricks(folder: Path, runs: int, only: Sequence[str], say: Callable[[str], None]) -> dict[str, Samples]:
    """Press all keys with all tricks and without each, in turns, so that a busy minute is shared out. Raises
    ToolFailedError."""
    names = (ALL_ON, AGAIN, *sorted(only or ALL))
    found = {name: Samples(folder / f"tricks-{name.replace(' ', '-')}.jsonl") for name in names}
    for number in range(runs):
        for name, samples in found.items():
            say(f"bench: round {number + 1} of {runs}, {_label(name)}")
            keys(samples, folder, () if name in (ALL_ON, AGAIN) else (name,))
    return found


def tricks_table(found: Mapping[str, Samples]) -> str:
    """Return the 95th percentiles with all tricks, and what is added to them without each. A trick stays when
    it buys a millisecond somewhere, and more than two measurements of the same differ."""
    screens = list(dict.fromkeys(one.phase for kind in KINDS for one in found[ALL_ON].of(kind)))
    cells = [(kind, screen) for kind in KINDS for screen in screens if _p95(found[ALL_ON], kind, screen)]
    base = {cell: _p95(found[ALL_ON], *cell) or 0.0 for cell in cells}
    head = ("95th percentile, ms", *(f"{screen}: {kind}" for kind, screen in cells), "most", "stays")
    rows = [(ALL_ON, *(f"{base[cell]:.1f}" for cell in cells), "", "")]
    noise = 0.0
    for name, samples in found.items():
        if name == ALL_ON:
            continue
        added = {cell: (_p95(samples, *cell) or 0.0) - base[cell] for cell in cells}
        most = max(added, key=lambda cell: added[cell])
        if name == AGAIN:
            noise, stays = max(map(abs, added.values())), "noise"
        else:
            stays = "yes" if added[most] >= max(BUYS, noise) else "no"
        differences = (f"{added[cell]:+.1f}" for cell in cells)
        rows.append((_label(name), *differences, f"{added[most]:+.1f} ({most[1]}: {most[0]})", stays))
    return table(head, rows)


def _label(name: str) -> str:
    return name if name in (ALL_ON, AGAIN) else f"without {name}"


def _p95(samples: Samples, kind: str, screen: str) -> float | None:
    value = percentile((one.cost.seconds for one in samples.pick(kind, screen, NODES)), 0.95)
    return None if value is None else value * 1000
