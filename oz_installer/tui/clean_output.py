"""The wizard's gate for foreign text: no control character of a widget reaches the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from re import Match
from typing import TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

from oz_installer.text import UNSAFE

T = TypeVar("T")


class CleanLines(LineFilter):
    """Removes control, direction and invisible characters from drawn lines; no column moves."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's
        """Return the segments with printable text."""
        if all(one.text.isprintable() for one in segments):
            return segments
        return [one if one.text.isprintable() else _clean(one) for one in segments]


class CleanApp(App[T]):
    """An app whose widgets all draw through ``CleanLines``."""

    _gate = CleanLines()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's filters and the gate, which is always the last."""
        return [*super().get_line_filters(), self._gate]


def _clean(segment: Segment) -> Segment:
    text, style, control = segment
    return Segment(UNSAFE.sub(_replaced, text).replace("\n", " ").replace("\t", " "), style, control)


def _replaced(found: Match[str]) -> str:
    """Return as many columns as Textual has counted for the character."""
    return "\ufffd" * cell_len(found[0])
