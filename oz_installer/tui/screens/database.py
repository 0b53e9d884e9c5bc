"""The step Database."""

from __future__ import annotations

from typing import ClassVar

from oz_installer.tui.screens.placeholder import Placeholder


class DatabaseScreen(Placeholder):
    """Not written yet."""

    STEP: ClassVar[str] = "database"
