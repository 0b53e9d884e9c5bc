"""A program: the wizard with a job that paints a lot and needs time to stop."""

from __future__ import annotations

import sys
from pathlib import Path

import oz_installer
from oz_installer.tui.app import WizardApp
from oz_installer.tui.internals.terminal_driver import TerminalDriver
from oz_installer.tui.wizard_protocol import ExitGuard
from tests.tui.fake_core import FakeCore

PAINTS = 100
"""More than Textual's writer takes in before somebody has to wait for it."""


class Held(WizardApp):
    """Refuses to exit from the start; once stopped, it paints for a while before it permits the exit."""

    CSS_PATH = str(Path(oz_installer.__file__).parent / "tui" / "app.tcss")

    def on_ready(self) -> None:
        """Hold."""
        self._left = PAINTS
        self.leaving.hold(ExitGuard(question="Stop?", stop=self._work))
        self._show("held")

    def _work(self) -> None:
        self._left -= 1
        self._show(f"{self._left} to go")
        if self._left > 0:
            self.set_timer(0.005, self._work)
        else:
            self.leaving.release()

    def _show(self, text: str) -> None:
        if self.step_screen is not None:
            self.step_screen.show_status(text)


if __name__ == "__main__":
    app = Held(FakeCore())
    app.driver_class = TerminalDriver
    app.run()
    if app.failure is not None:
        raise app.failure
    sys.exit(app.return_code)
