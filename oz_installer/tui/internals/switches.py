"""One switch per trick: ``bench/run --only wizard --tricks`` measures what each is worth.

A trick here is only about speed: without it the wizard behaves the same. Key order, crash handling and the
terminal driver are correctness and have no switch. Turn tricks off before the wizard's modules are imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Trick = Literal[
    "draw-ahead",  # draw what is out of sight while nobody presses a key
    "idle-gc",  # collect garbage between keys
    "one-frame",  # one frame where Textual paints two: layout and repaint together
    "pieces",  # draw a screen in pieces of 8 ms
    "quiet-focus",  # a Tab repaints two widgets, not the screen
    "quiet-text",  # a longer text in a field lays nothing out
    "row-compositor",  # ask only the widgets in the painted rows
    "row-looks",  # a table keeps its rows when the focus comes and goes
    "rows-apart",  # a cursor step in a table draws two rows
    "same-size",  # a second resize of the same size is no news to a screen
    "scroll-at-once",  # a Tab scrolls in the frame that shows the cursor
    "stable-components",  # parts of a widget are not styled at a Tab
    "steady-size",  # a layout is no news to a field that keeps its size
    "styled-once",  # a screen that is shown again keeps its styles
    "switch-interval",  # threads give the interpreter back after 0.5 ms
]

ALL: frozenset[str] = frozenset(get_args(Trick))
ENABLED: frozenset[str] = ALL


def on(trick: Trick) -> bool:
    """Say whether a trick is used."""
    return trick in ENABLED


def turn_off(tricks: Iterable[str]) -> None:
    """Do without these tricks. Raises ValueError for a name that none has."""
    global ENABLED
    names = frozenset(tricks)
    if unknown := names - ALL:
        raise ValueError(f"unknown tricks: {', '.join(sorted(unknown))}; known: {', '.join(sorted(ALL))}")
    ENABLED = ENABLED - names
