"""Tabs in one row: the arrows or a click open one; the open one is in brackets."""

from __future__ import annotations

from typing import Any

from oz_installer.tui.widgets.choice import Choice


class Tabs(Choice):
    """A choice that looks like tabs."""

    def open(self, value: Any) -> None:
        """Show a tab as open without calling the callback."""
        self.show(self.options, (value,))

    def _text(self, index: int) -> str:
        label = self.options[index].label
        return f"[ {label} ]" if self._is_on(index) else f"  {label}  "
