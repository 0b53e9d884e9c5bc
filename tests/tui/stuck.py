"""A program: the wizard on a disk on which no draft can be written."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import oz_installer
from oz_installer.tui.app import WizardApp
from oz_installer.tui.controllers import exit
from oz_installer.tui.internals.terminal_driver import TerminalDriver
from tests.tui.fake_core import FakeCore

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy


class Stuck(FakeCore):
    """Never finishes a draft."""

    def save_draft(self, working: WorkingCopy, target: Path, step: str) -> SavedDraft:
        """Wait for ever."""
        threading.Event().wait()
        return super().save_draft(working, target, step)


class Wizard(WizardApp):
    """Uses the wizard's stylesheet from another folder."""

    CSS_PATH = str(Path(oz_installer.__file__).parent / "tui" / "app.tcss")


if __name__ == "__main__":
    vars(exit)["PATIENCE"] = 0.2
    app = Wizard(Stuck(), None, "workload")
    app.driver_class = TerminalDriver
    outcome = app.run()
    assert outcome is not None
    print(f"lost: {outcome.lost}")
    sys.exit(outcome.code)
