"""Widgets whose styling on a focus change takes half the time."""

from __future__ import annotations

from textual.widget import Widget

from oz_installer.tui.internals.switches import on


class StableComponents(Widget):
    """A widget whose parts (``COMPONENT_CLASSES``) look the same with and without the focus.

    No style may join them with ``:focus``. Textual styles each of them again at every Tab, which is half of
    the styling time.

    List it after a base class that has its own styles: the first base decides which ones apply. pyright then
    compares Textual's overrides with Textual's Widget and reports their mismatches, none of which is ours.
    """

    _steady = False

    def watch_has_focus(self, has_focus: bool) -> None:
        """Style only the widget itself."""
        self._steady = on("stable-components")
        try:
            super().watch_has_focus(has_focus)
        finally:
            self._steady = False

    def _get_component_classes(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset() if self._steady else super()._get_component_classes()
