"""Rows of text with looks, and the tones of what is reported. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from oz_installer.formatting.row import Row
from oz_installer.text import strip_control

Tone = Literal["", "-good", "-warning", "-bad"]
LOOKS = ("good", "warning", "bad", "muted", "strong", "accent", "cursor")


@dataclass(frozen=True)
class MeasuredRows:
    """Rows with their width, which a background job measures for long texts."""

    rows: tuple[Row, ...] = ()
    width: int = 0

    @staticmethod
    def of(rows: Iterable[Row]) -> MeasuredRows:
        """Measure rows; tabs become spaces, and control characters their sign."""
        fresh = tuple(
            (text, look) if text.isprintable() else (strip_control(text).expandtabs(4), look)
            for text, look in rows
        )
        width = max((len(text) if text.isascii() else cell_len(text) for text, _ in fresh), default=0)
        return MeasuredRows(fresh, width)
