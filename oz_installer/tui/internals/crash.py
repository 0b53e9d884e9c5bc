"""An app that prints no traceback on a crash: local variables in it would show passwords."""

from __future__ import annotations

from typing import TypeVar

from oz_installer.tui.clean_output import CleanApp

T = TypeVar("T")


class CrashSafeApp(CleanApp[T]):
    """Keeps the first exception in ``failure``, for the program around it to report."""

    failure: BaseException | None = None

    def save_in_crash(self) -> None:
        """Save unsaved work; called once, before the app ends."""

    def _handle_exception(self, error: Exception) -> None:
        if self.failure is None:
            self.failure = getattr(error, "error", error)  # unwrap the error of a job
            self.save_in_crash()
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End without Textual's own traceback."""
        self._close_messages_no_wait()
