"""Switches for the speed-ups: ``bench/run --only wizard --tricks`` measures what each gains.

A trick only affects speed: without it the wizard behaves the same. Key order, crash handling and the terminal
driver are about correctness and have no switch. Turn tricks off before the wizard's modules are imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Trick = Literal[
    "draw-ahead",  # draw invisible widgets while no key is pressed
    "idle-gc",  # collect garbage between keys
    "one-frame",  # one frame where Textual paints two: layout and repaint together
    "pieces",  # draw a screen in pieces of 8 ms
    "quiet-focus",  # a Tab repaints two widgets, not the screen
    "quiet-text",  # a longer text in a field lays nothing out
    "row-compositor",  # ask only the widgets in the painted rows
    "row-looks",  # a table keeps its rows when the focus comes and goes
    "rows-apart",  # a cursor step in a table draws two rows
    "same-size",  # ignore a second resize to the same size
    "scroll-at-once",  # a Tab scrolls in the frame that moves the focus
    "stable-components",  # a Tab does not style the parts of a widget
    "steady-size",  # a field that keeps its size ignores layouts
    "styled-once",  # keep the styles of a screen that is shown again
    "switch-interval",  # threads give the interpreter back after 0.5 ms
]

ALL: frozenset[str] = frozenset(get_args(Trick))
ENABLED: frozenset[str] = ALL


def on(trick: Trick) -> bool:
    """Return whether a trick is enabled."""
    return trick in ENABLED


def turn_off(tricks: Iterable[str]) -> None:
    """Disable tricks. Raises ValueError for an unknown name."""
    global ENABLED
    names = frozenset(tricks)
    if unknown := names - ALL:
        raise ValueError(f"unknown tricks: {', '.join(sorted(unknown))}; known: {', '.join(sorted(ALL))}")
    ENABLED = ENABLED - names
