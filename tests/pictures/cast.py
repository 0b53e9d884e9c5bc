"""Frames as an asciicast (version 2): what a terminal would have been sent, for any player of such files."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.pictures.frame import Frame, Look, Row
from tests.pictures.svg import Shot


def cast(shots: Sequence[Shot], title: str) -> str:
    """JSON lines; only rows that changed are sent."""
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
    clear = "" if before else "\x1b[?25l\x1b[2J"
    old: Sequence[Row | None] = before.rows if before else [None] * len(frame.rows)
    pairs = enumerate(zip(frame.rows, old, strict=True))
    return clear + "".join(f"\x1b[{n + 1}H{_row(new)}" for n, (new, was) in pairs if new != was)


def _row(row: Row) -> str:
    return "".join(f"\x1b[0;{_codes(run.look)}m{run.text}" for run in row)


def _codes(look: Look) -> str:
    flags = [code for code, on in (("1", look.bold), ("3", look.italic), ("4", look.underline)) if on]
    return ";".join([*flags, f"38;2;{_rgb(look.ink)}", f"48;2;{_rgb(look.ground)}"])


def _rgb(colour: str) -> str:
    return ";".join(str(int(colour[n : n + 2], 16)) for n in (1, 3, 5))
