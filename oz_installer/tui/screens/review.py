"""The step Review."""

from __future__ import annotations

from typing import ClassVar

from oz_installer.tui.screens.placeholder import Placeholder


class ReviewScreen(Placeholder):
    """Not written yet."""

    STEP: ClassVar[str] = "review"
