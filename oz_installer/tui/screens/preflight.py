"""The step Preflight."""

from __future__ import annotations

from typing import ClassVar

from oz_installer.tui.screens.placeholder import Placeholder


class PreflightScreen(Placeholder):
    """Not written yet."""

    STEP: ClassVar[str] = "preflight"
