"""The step Release."""

from __future__ import annotations

from typing import ClassVar

from oz_installer.tui.screens.placeholder import Placeholder


class ReleaseScreen(Placeholder):
    """Not written yet."""

    STEP: ClassVar[str] = "release"
