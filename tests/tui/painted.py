"""Records layouts and painted regions during a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual.geometry import Region

from oz_installer.tui.internals.row_compositor import RowCompositor
from tests.tui.probes import dirty_regions, on_layout


class Painted:
    """The screens that were laid out, and the regions of each frame."""

    def __init__(self) -> None:
        self.laid_out: list[str] = []
        self.frames: list[list[Region]] = []

    @property
    def regions(self) -> list[Region]:
        """Return the regions of all frames."""
        return [region for frame in self.frames for region in frame]

    @property
    def areas(self) -> list[int]:
        """Cells of each frame."""
        return [sum(region.area for region in frame) for frame in self.frames]


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Painted]:
    """Note it."""
    seen = Painted()
    paint = RowCompositor.render_update

    def render_update(self: RowCompositor, *args: object, **more: object) -> object:
        seen.frames.append(dirty_regions(self))
        return paint(self, *args, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        on_layout(patch, lambda screen: seen.laid_out.append(type(screen).__name__))
        patch.setattr(RowCompositor, "render_update", render_update)
        yield seen
