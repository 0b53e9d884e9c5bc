"""A one-row input that causes no layout when its text or its surroundings change."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input

from oz_installer.tui.internals.stable_components import StableComponents
from oz_installer.tui.internals.switches import on


class SingleRowInput(Input, StableComponents):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A text input without scroll bars."""

    virtual_size = Reactive(Size(0, 0), layout=not on("quiet-text"))  # Textual lays out all for a longer text

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        """Report only a different size: Textual reports every layout and every scroll."""
        if on("steady-size") and size == self._size:
            return False
        return super()._size_updated(size, virtual_size, container_size, layout)
