"""Textual's driver for a terminal that may close at any moment, which must not hold the wizard up.

Textual's own goes on writing to a terminal that is gone: its writer dies, and the thirtieth paint waits for
it for ever. It also takes the SIGCONT that the kernel sends behind SIGHUP for the end of a Ctrl-Z.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from io import TextIOWrapper

    from oz_installer.tui.app import WizardApp


class TerminalDriver(LinuxDriver):
    """Tells the wizard once that the terminal is gone; what is written from then on is lost."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = cast("TextIOWrapper", ClosedSafeFile(cast("IO[str]", self._file), self._gone))

    def run_input_thread(self) -> None:
        """Read keys until the end, or until there is nothing to read from."""
        try:
            super().run_input_thread()
        except OSError:
            self._gone()

    def _gone(self) -> None:
        if not self.exit_event.is_set():
            self.exit_event.set()  # no more keys are looked for
            app = cast("WizardApp", self._app)
            app.call_later(app.leaving.terminal_lost)

    def _sigcont_application(self, *arguments: object) -> None:
        if self._must_signal_resume:
            super()._sigcont_application(*arguments)


class ClosedSafeFile:
    """A file that takes everything, also when it cannot be written to any more; then it calls ``gone``."""

    def __init__(self, file: IO[str], gone: Callable[[], None]) -> None:
        self._file = file
        self._call = gone

    def write(self, text: str) -> None:
        """Write, if that is possible."""
        try:
            self._file.write(text)
        except OSError:
            self._call()

    def flush(self) -> None:
        """Flush, if that is possible."""
        try:
            self._file.flush()
        except OSError:
            self._call()

    def fileno(self) -> int:
        """Of the file."""
        return self._file.fileno()
