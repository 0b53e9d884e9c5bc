"""A picture of boxes, wires and labels on a grid of characters, and its drawing as text.

``diagram.py`` makes the layout; this module and ``svg.py`` draw the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Party = Literal["users", "api", "bio", "outside"]
Point = tuple[int, int]  # row, column

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
LINES = {
    UP: "│", DOWN: "│", UP | DOWN: "│", LEFT: "─", RIGHT: "─", LEFT | RIGHT: "─",
    DOWN | RIGHT: "┌", DOWN | LEFT: "┐", UP | RIGHT: "└", UP | LEFT: "┘",
    UP | DOWN | RIGHT: "├", UP | DOWN | LEFT: "┤", LEFT | RIGHT | DOWN: "┬", LEFT | RIGHT | UP: "┴",
    UP | DOWN | LEFT | RIGHT: "┼",
}  # fmt: skip
HEADS = {UP: "▲", DOWN: "▼", LEFT: "◀", RIGHT: "▶"}
ASCII = str.maketrans("│─┌┐└┘├┤┬┴┼▲▼◀▶×·", "|-+++++++++^v<>x-")
BORDER = "border"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle; the border is on its outermost cells, the title in the upper border."""

    row: int
    col: int
    height: int
    width: int
    title: str
    lines: tuple[str, ...] = ()
    party: Party = "outside"

    @property
    def right(self) -> int:
        """Column of the right border."""
        return self.col + self.width - 1

    @property
    def bottom(self) -> int:
        """Row of the lower border."""
        return self.row + self.height - 1


@dataclass(frozen=True, kw_only=True)
class Wire:
    """A line with right angles; ``arrow`` puts a head on its last point.

    Wires of one ``net`` join where they meet; wires of different nets cross without touching.
    """

    net: str
    points: tuple[Point, ...]
    arrow: bool = False


@dataclass(frozen=True, kw_only=True)
class Label:
    """A line of text; ``strong`` for headings."""

    row: int
    col: int
    text: str
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A whole picture; rows and columns count from 0."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    labels: tuple[Label, ...]

    @property
    def height(self) -> int:
        """Number of rows."""
        rows = [box.bottom for box in self.boxes] + [label.row for label in self.labels]
        return max(rows + [row for wire in self.wires for row, _ in wire.points], default=-1) + 1

    @property
    def width(self) -> int:
        """Number of columns."""
        columns = [box.right for box in self.boxes]
        columns += [label.col + len(label.text) - 1 for label in self.labels]
        return max(columns + [col for wire in self.wires for _, col in wire.points], default=-1) + 1


def as_text(picture: Picture, *, ascii: bool = False) -> str:
    """Draw with box drawing characters or ASCII, without trailing blanks, newline at the end."""
    canvas = _Canvas()
    for box in picture.boxes:
        edge = ((box.row, box.col), (box.row, box.right), (box.bottom, box.right), (box.bottom, box.col))
        canvas.wire(BORDER, (*edge, edge[0]))
    for wire in picture.wires:
        canvas.wire(wire.net, wire.points)
    rows = canvas.rows(picture.height, picture.width)
    for wire in picture.wires:
        if wire.arrow:
            row, col = wire.points[-1]
            rows[row][col] = HEADS[direction(wire.points[-2], wire.points[-1])]
    for box in picture.boxes:
        if box.title:
            _put(rows, box.row, box.col + 2, f" {box.title} ")
        for number, line in enumerate(box.lines, start=1):
            _put(rows, box.row + number, box.col + 2, line)
    for label in picture.labels:
        _put(rows, label.row, label.col, label.text)
    text = "".join("".join(row).rstrip() + "\n" for row in rows)
    return text.translate(ASCII).encode("ascii", "replace").decode() if ascii else text


def direction(start: Point, end: Point) -> int:
    """Return the direction from one point to another in the same row or column."""
    if start[0] == end[0]:
        return RIGHT if end[1] > start[1] else LEFT
    return DOWN if end[0] > start[0] else UP


def _put(rows: list[list[str]], row: int, col: int, text: str) -> None:
    for offset, letter in enumerate(text):
        rows[row][col + offset] = letter


class _Canvas:
    """Records the directions in which lines leave each cell, by net."""

    def __init__(self) -> None:
        self._cells: dict[Point, dict[str, int]] = {}

    def wire(self, net: str, points: tuple[Point, ...]) -> None:
        for start, end in pairwise(points):
            if start == end:
                continue
            forward = direction(start, end)
            back = {UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}[forward]
            step = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}[forward]
            here = start
            while here != end:
                self._add(here, net, forward)
                here = (here[0] + step[0], here[1] + step[1])
                self._add(here, net, back)

    def _add(self, cell: Point, net: str, bits: int) -> None:
        nets = self._cells.setdefault(cell, {})
        nets[net] = nets.get(net, 0) | bits

    def rows(self, height: int, width: int) -> list[list[str]]:
        rows = [[" "] * width for _ in range(height)]
        for (row, col), nets in self._cells.items():
            rows[row][col] = LINES[_visible(nets)]
        return rows


def _visible(nets: dict[str, int]) -> int:
    """Return the bits to draw for a cell.

    A border joins wires that start on it; where two nets cross, the vertical one is visible.
    """
    others = [bits for net, bits in nets.items() if net != BORDER]
    if len(others) > 1:
        others = [next((bits for bits in others if bits & (UP | DOWN) == UP | DOWN), others[0])]
    visible = nets.get(BORDER, 0)
    for bits in others:
        visible |= bits
    return visible
