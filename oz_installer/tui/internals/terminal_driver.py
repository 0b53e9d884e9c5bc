"""Terminal driver that survives a terminal that closes at any moment.

Textual's own driver keeps writing to a closed terminal: its writer thread dies, and the thirtieth paint waits
for it for ever. It also mistakes the SIGCONT that the kernel sends after SIGHUP for the end of a Ctrl-Z.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from io import TextIOWrapper

    from oz_installer.tui.app import WizardApp


class TerminalDriver(LinuxDriver):
    """Reports once that the terminal is closed; later output is dropped."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = cast("TextIOWrapper", ClosedSafeFile(cast("IO[str]", self._file), self._gone))

    def run_input_thread(self) -> None:
        """Read keys until the end or until the terminal closes."""
        try:
            super().run_input_thread()
        except OSError:
            self._gone()

    def _gone(self) -> None:
        if not self.exit_event.is_set():
            self.exit_event.set()  # stop reading keys
            app = cast("WizardApp", self._app)
            app.call_later(app.leaving.terminal_lost)

    def _sigcont_application(self, *arguments: object) -> None:
        if self._must_signal_resume:
            super()._sigcont_application(*arguments)


class ClosedSafeFile:
    """A file whose writes never fail; it calls ``gone`` when the real one does."""

    def __init__(self, file: IO[str], gone: Callable[[], None]) -> None:
        self._file = file
        self._call = gone

    def write(self, text: str) -> None:
        """Write if possible."""
        try:
            self._file.write(text)
        except OSError:
            self._call()

    def flush(self) -> None:
        """Flush if possible."""
        try:
            self._file.flush()
        except OSError:
            self._call()

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file.fileno()
