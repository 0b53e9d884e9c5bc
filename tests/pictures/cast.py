"""Frames as an asciicast (version 2): what a terminal would have been sent, for any player of such files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby, zip_longest

from tests.pictures.frame import Frame, Look, Row, Run
from tests.pictures.svg import Shot


def cast(shots: Sequence[Shot], title: str) -> str:
    """JSON lines; only what changed is sent."""
    first = shots[0].frame
    head = {"version": 2, "width": first.width, "height": len(first.rows), "title": title}
    lines, at, before = [json.dumps(head)], 0.0, None
    for shot in shots:
        sent = _changes(shot.frame, before)
        if sent:
            lines.append(json.dumps([round(at, 2), "o", sent], ensure_ascii=False))
        at, before = at + shot.seconds, shot.frame
    lines.append(json.dumps([round(at, 2), "o", "\x1b[0m"]))
    return "\n".join(lines) + "\n"


def _changes(frame: Frame, before: Frame | None) -> str:
    if before is None:
        return "\x1b[?25l\x1b[2J" + "".join(f"\x1b[{n}H{_row(row)}" for n, row in enumerate(frame.rows, 1))
    pairs = zip(frame.rows, before.rows, strict=True)
    return "".join(_change(n, new, old) for n, (new, old) in enumerate(pairs, 1) if new != old)


def _change(line: int, new: Row, old: Row) -> str:
    """From the first cell that is another one to the last."""
    cells, were = _cells(new), _cells(old)
    other = [place for place, (cell, was) in enumerate(zip_longest(cells, were)) if cell != was]
    first, last = other[0], min(other[-1] + 1, len(cells))
    runs = groupby(cells[first:last], key=lambda cell: cell[1])
    row = tuple(Run(0, "".join(letter for letter, _ in run), look) for look, run in runs)
    return f"\x1b[{line};{first + 1}H{_row(row)}"


def _cells(row: Row) -> list[tuple[str, Look]]:
    return [(letter, run.look) for run in row for letter in run.text]


def _row(row: Row) -> str:
    return "".join(f"\x1b[0;{_codes(run.look)}m{run.text}" for run in row)


def _codes(look: Look) -> str:
    flags = [code for code, on in (("1", look.bold), ("3", look.italic), ("4", look.underline)) if on]
    return ";".join([*flags, f"38;2;{_rgb(look.ink)}", f"48;2;{_rgb(look.ground)}"])


def _rgb(colour: str) -> str:
    return ";".join(str(int(colour[n : n + 2], 16)) for n in (1, 3, 5))
