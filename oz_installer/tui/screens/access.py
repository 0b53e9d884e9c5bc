"""The step Access."""

from __future__ import annotations

from typing import ClassVar

from oz_installer.tui.screens.placeholder import Placeholder


class AccessScreen(Placeholder):
    """Not written yet."""

    STEP: ClassVar[str] = "access"
