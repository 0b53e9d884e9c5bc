"""Tabs in one row: the arrows or a click open one; the open one stands in brackets."""

from __future__ import annotations

from typing import Any

from oz_installer.tui.widgets.choice import Choice


class Tabs(Choice):
    """A choice that looks like tabs."""

    def open(self, value: Any) -> None:
        """Show one as open, without telling anybody."""
        self.show(self.options, (value,))

    def _text(self, place: int) -> str:
        label = self.options[place].label
        return f"[ {label} ]" if self._is_on(place) else f"  {label}  "
