"""Draw the topology as a standalone SVG, without scripts, external fonts or files."""

from __future__ import annotations

import re
from html import escape

from oz_installer.topology.drawing.canvas import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Box,
    Label,
    Party,
    Point,
    Wire,
    direction,
)
from oz_installer.topology.drawing.diagram import lay_out
from oz_installer.topology.model import Topology

CELL_WIDTH, CELL_HEIGHT, FONT = 8.0, 18.0, 13.3  # pixels; a monospace letter is about 0.6 × its size wide
MARGIN = 24.0
HEAD = 7.0
COLOURS: dict[Party, tuple[str, str]] = {  # border and fill
    "users": ("#475569", "#f1f5f9"),
    "api": ("#1d4ed8", "#eff6ff"),
    "bio": ("#047857", "#ecfdf5"),
    "outside": ("#92400e", "#fffbeb"),
}
WIRE = "#334155"
STEPS = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}
# Characters that XML 1.0 does not allow, not even escaped.
_UNFIT = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}"
)


def draw_svg(topology: Topology) -> str:
    """Return the boxes, arrows and texts of ``diagram.draw`` as one SVG document."""
    picture = lay_out(topology, 96)
    width = picture.width * CELL_WIDTH + 2 * MARGIN
    height = picture.height * CELL_HEIGHT + 2 * MARGIN
    title = f"Oz API {topology.release}, layout {topology.layout}"
    body = "\n".join(
        [
            *(_wire(wire) for wire in picture.wires),
            *(_box(box) for box in picture.boxes),
            *(_label(label) for label in picture.labels),
        ]
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" font-size="{FONT}" '
        'font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" fill="#0f172a">\n'
        f"<title>{_text(title)}</title>\n"
        '<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f"{body}\n</svg>\n"
    )


def _place(row: float, col: float) -> tuple[float, float]:
    """Return the centre of a cell in pixels, x first."""
    return MARGIN + (col + 0.5) * CELL_WIDTH, MARGIN + (row + 0.5) * CELL_HEIGHT


def _box(box: Box) -> str:
    stroke, fill = COLOURS[box.party]
    x, y = _place(box.row, box.col)
    width, height = (box.width - 1) * CELL_WIDTH, (box.height - 1) * CELL_HEIGHT
    parts = [
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.5"/>'
    ]
    if box.title:
        left = x + 1.5 * CELL_WIDTH
        room = (len(box.title) + 1) * CELL_WIDTH
        parts.append(
            f'<rect x="{left:g}" y="{y - FONT / 2 - 2:g}" width="{room:g}" height="{FONT + 4:g}" '
            f'rx="3" fill="{stroke}"/>'
        )
        parts.append(_words(box.row, box.col + 2.5, box.title, ' font-weight="bold" fill="#ffffff"'))
    parts += [
        _words(box.row + number, box.col + 2, line)
        for number, line in enumerate(box.lines, 1)
        if line.strip()
    ]
    return "\n".join(parts)


def _label(label: Label) -> str:
    if label.strong:
        return _words(label.row, label.col, label.text, ' font-weight="bold"')
    return _words(label.row, label.col, label.text, ' fill="#1e293b"')


def _words(row: float, col: float, text: str, more: str = "") -> str:
    """Place a text at a cell, column by column.

    Two or more blanks separate columns. Each column gets its length, so that columns align in any font.
    """
    return "\n".join(
        _column(row, col + found.start(), found.group(), more)
        for found in re.finditer(r"\S+(?: \S+)*", text.translate(_UNFIT))
    )


def _column(row: float, col: float, text: str, more: str) -> str:
    x, y = _place(row, col - 0.5)
    return (
        f'<text x="{x:g}" y="{y + FONT * 0.36:g}" textLength="{len(text) * CELL_WIDTH:g}" '
        f'lengthAdjust="spacingAndGlyphs"{more}>{_text(text)}</text>'
    )


def _wire(wire: Wire) -> str:
    points = [point for n, point in enumerate(wire.points) if n == 0 or point != wire.points[n - 1]]
    if len(points) < 2:
        return ""
    corners = [_place(*point) for point in points]
    head = ""
    if wire.arrow:
        corners[-1], head = _tip(points[-2], points[-1])
    line = " ".join(f"{x:g},{y:g}" for x, y in corners)
    style = f'fill="none" stroke="{WIRE}" stroke-width="1.5" stroke-linejoin="round"'
    return f'<polyline points="{line}" {style}/>{head}'


def _tip(before: Point, last: Point) -> tuple[tuple[float, float], str]:
    """Extend an arrow by one cell to the border; return the end of its line, and its head."""
    down, across = STEPS[direction(before, last)]
    x, y = _place(last[0] + down, last[1] + across)
    back_x, back_y = x - across * HEAD * 1.4, y - down * HEAD * 1.4
    wide_x, wide_y = down * HEAD * 0.6, across * HEAD * 0.6
    points = f"{x:g},{y:g} {back_x + wide_x:g},{back_y + wide_y:g} {back_x - wide_x:g},{back_y - wide_y:g}"
    return (back_x, back_y), f'<polygon points="{points}" fill="{WIRE}"/>'


def _text(text: str) -> str:
    return escape(text.translate(_UNFIT), quote=True)
