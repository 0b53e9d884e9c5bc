"""The step Storage."""

from __future__ import annotations

from typing import ClassVar

from oz_installer.tui.screens.placeholder import Placeholder


class StorageScreen(Placeholder):
    """Not written yet."""

    STEP: ClassVar[str] = "storage"
