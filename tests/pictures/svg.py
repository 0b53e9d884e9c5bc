"""Frames as SVG: one as a still picture, many as a moving one. Nothing is fetched to show them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from tests.pictures.frame import Frame, Look, Row

SIZE = 14
CELL = 8.43
"""A column of DejaVu Sans Mono at that size; other fonts are stretched or squeezed to it."""
LINE = 16
BASE = 12.5
EDGE = 8
FONTS = "'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace"
WORDS = re.compile(r"\S+(?: \S+)*")
"""What is one text of the picture: a longer gap begins another one, at a column of its own."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A frame of a moving picture, and how long it is seen, in seconds."""

    frame: Frame
    seconds: float


class Looks:
    """Short class names for the looks of text."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def name(self, look: Look) -> str:
        """The class of a look."""
        weight = ";font-weight:700" if look.bold else ""
        slant = ";font-style:italic" if look.italic else ""
        line = ";text-decoration:underline" if look.underline else ""
        return self._names.setdefault(f"fill:{look.ink}{weight}{slant}{line}", f"c{len(self._names)}")

    def css(self) -> str:
        """Their rules."""
        return "".join(f".{name}{{{rule}}}" for rule, name in self._names.items())


def still(frame: Frame) -> str:
    """One frame as a picture."""
    looks = Looks()
    rows = [
        f'<g transform="translate(0,{n * LINE})">{_row(row, frame.ground, looks)}</g>'
        for n, row in enumerate(frame.rows)
    ]
    return _picture(frame, looks, "\n".join(rows))


def moving(shots: Sequence[Shot]) -> str:
    """Frames one after the other, for ever. A row that comes again is drawn once."""
    looks, first = Looks(), shots[0].frame
    drawn: dict[str, str] = {}
    frames = []
    for shot in shots:
        uses = []
        for n, row in enumerate(shot.frame.rows):
            inside = _row(row, first.ground, looks)
            if inside:
                uses.append(f'<use href="#{drawn.setdefault(inside, f"r{len(drawn)}")}" y="{n * LINE}"/>')
        frames.append("".join(uses))
    defs = "\n".join(f'<g id="{name}">{inside}</g>' for inside, name in drawn.items())
    body = "\n".join(f"<g{_seen(n, shots)}>{frame}{_turn(n, shots)}</g>" for n, frame in enumerate(frames))
    return _picture(first, looks, f"<defs>\n{defs}\n</defs>\n{body}")


def _seen(n: int, shots: Sequence[Shot]) -> str:
    """Where nothing moves, the last frame is seen."""
    return "" if n == len(shots) - 1 else ' visibility="hidden"'


def _turn(n: int, shots: Sequence[Shot]) -> str:
    ends = list(accumulate(shot.seconds for shot in shots))
    begin, end, whole = ends[n] - shots[n].seconds, ends[n], ends[-1]
    times, values = ["0"], ["visible" if n == 0 else "hidden"]
    if n:
        times.append(f"{begin / whole:.5f}")
        values.append("visible")
    if end < whole:
        times.append(f"{end / whole:.5f}")
        values.append("hidden")
    return (
        f'<animate attributeName="visibility" calcMode="discrete" repeatCount="indefinite" '
        f'dur="{whole:.2f}s" keyTimes="{";".join(times)}" values="{";".join(values)}"/>'
    )


def _picture(frame: Frame, looks: Looks, body: str) -> str:
    width, height = frame.width * CELL + 2 * EDGE, len(frame.rows) * LINE + 2 * EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}">\n'
        f"<style>text{{font:{SIZE}px {FONTS}}}{looks.css()}</style>\n"
        f'<rect width="100%" height="100%" rx="6" fill="{frame.ground}"/>\n'
        f'<g transform="translate({EDGE},{EDGE})">\n{body}\n</g>\n</svg>\n'
    )


def _row(row: Row, ground: str, looks: Looks) -> str:
    return "".join([*_grounds(row, ground), *_texts(row, looks)])


def _grounds(row: Row, ground: str) -> Iterator[str]:
    for run in row:
        if run.look.ground != ground:
            yield (
                f'<rect x="{run.column * CELL:.1f}" width="{len(run.text) * CELL + 0.3:.1f}" '
                f'height="{LINE + 0.3}" fill="{run.look.ground}"/>'
            )


def _texts(row: Row, looks: Looks) -> Iterator[str]:
    for run in row:
        for found in WORDS.finditer(run.text):
            text = found.group()
            yield (
                f'<text class="{looks.name(run.look)}" x="{(run.column + found.start()) * CELL:.1f}" '
                f'y="{BASE}" textLength="{len(text) * CELL:.1f}">{escape(text)}</text>'
            )
