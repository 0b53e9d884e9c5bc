"""Exit by Ctrl-Q, Ctrl-C or a signal: stop the installation, save a draft, then quit."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.tui.controllers.save_queue import PATIENCE
from oz_installer.tui.timer import OneShotTimer

if TYPE_CHECKING:
    from oz_installer.tui.wizard_protocol import ExitGuard, WizardHost

STOPPED = 130


@dataclass(frozen=True, kw_only=True)
class ExitOutcome:
    """Result of the wizard: exit code, and where the answers are.

    ``draft_of`` is the answers file whose unsaved answers are in a draft, ``saved`` the file that has all
    answers, ``writing`` the file that was still being written. ``runs``: the answers are installed.
    ``lost`` is why answers could not be saved.
    """

    code: int = 0
    draft_of: Path | None = None
    saved: Path | None = None
    writing: Path | None = None
    runs: bool = False
    lost: str = ""


class ExitController:
    """Ends the app without losing answers."""

    def __init__(self, app: WizardHost) -> None:
        self._app = app
        self._hold: ExitGuard | None = None
        self._code: int | None = None
        self._patience: OneShotTimer | None = None
        self._cut = False

    @property
    def held(self) -> bool:
        """True while something must not be interrupted."""
        return self._hold is not None

    def hold(self, hold: ExitGuard) -> None:
        """Ask before quitting, until ``release``."""
        self._hold = hold

    def release(self) -> None:
        """Quit freely again; quit now if a signal came or the terminal closed."""
        self._hold = None
        if self._cut:
            self._begin(STOPPED)

    def leave(self, code: int) -> None:
        """Quit, or while something is held ask whether to stop it, and stay."""
        if (hold := self._hold) is not None:
            self._ask(hold.question, "Stop it", "Keep running", hold.stop)
        else:
            self._begin(code)

    def _begin(self, code: int) -> None:
        """Quit once a draft is saved, or after ``PATIENCE``."""
        if self._code is not None:
            return
        self._code = code
        self._patience = OneShotTimer(self._app, PATIENCE, self._too_late)
        self._app.files.keep_last(self._last_draft_saved)

    def _last_draft_saved(self, draft: Path | None, trouble: str) -> None:
        """Quit; ask first if input would be lost and the terminal is still there."""
        if self._patience is not None:
            self._patience.stop()
        code, self._code = self._code or 0, None
        if trouble and not self._cut:
            question = f"{trouble}. Unsaved answers are lost if you quit now."
            self._ask(question, "Quit", "Stay here", lambda: self._end(code, None, trouble))
        else:
            self._end(code, draft, trouble)

    def _too_late(self) -> None:
        """Quit although a draft or a save hangs; a save continues after the wizard has quit."""
        saves, lost = self._app.saves, f"no draft was saved within {PATIENCE:.0f} seconds"
        if saves.writing is None:
            self._end(self._code or 0, None, lost)
        else:
            since = "" if saves.writes_all else f"{lost} because a save was running"
            self._end(self._code or 0, None, since, saves.writing)

    def _ask(self, question: str, yes: str, no: str, then: Callable[[], None]) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        if not isinstance(self._app.screen, Confirm):
            dialog = Confirm(question, yes=yes, no=no)
            self._app.push_screen(dialog, lambda sure: then() if sure else None)

    def _end(self, code: int, draft: Path | None, lost: str, writing: Path | None = None) -> None:
        self._app.stop_jobs()
        saved = self._app.session.path if self._app.saves.all_saved else None
        seen = self._app.session.installed
        runs = seen is not None and seen.summary is not None
        outcome = ExitOutcome(code=code, draft_of=draft, saved=saved, writing=writing, runs=runs, lost=lost)
        self._app.exit(outcome, return_code=code)

    def handle_signals(self) -> None:
        """Quit on SIGINT, SIGTERM and SIGHUP; ignored signals stay ignored (nohup)."""
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name)
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.terminal_lost)

    def terminal_lost(self) -> None:
        """Quit without questions: a signal came or the terminal closed. Held work is stopped first."""
        if self._cut:
            return
        self._cut = True
        if self._hold is None:
            self._begin(STOPPED)
        else:
            self._app.asking.end()
            self._hold.stop()
