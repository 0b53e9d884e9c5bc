"""The ways out: Ctrl-Q, Ctrl-C, signals. Unsaved answers are kept as a draft; what is at work ends first."""

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
    """How the wizard was left: exit code, and the answers file whose unsaved answers are kept as a draft, or
    which holds all of them (``saved``), or was still being written (``writing``), and whether it runs as it
    says (``runs``); ``lost`` says why answers could not be kept."""

    code: int = 0
    draft_of: Path | None = None
    saved: Path | None = None
    writing: Path | None = None
    runs: bool = False
    lost: str = ""


class ExitController:
    """Ends the app."""

    def __init__(self, app: WizardHost) -> None:
        self._app = app
        self._hold: ExitGuard | None = None
        self._code: int | None = None
        self._patience: OneShotTimer | None = None
        self._cut = False

    @property
    def held(self) -> bool:
        """Whether something must not be cut off."""
        return self._hold is not None

    def hold(self, hold: ExitGuard) -> None:
        """Do not leave without asking, until ``release``."""
        self._hold = hold

    def release(self) -> None:
        """What was held has ended. Leaves, if that was wanted and could not wait for an answer."""
        self._hold = None
        if self._cut:
            self._begin(STOPPED)

    def leave(self, code: int) -> None:
        """Leave. While something is held ask whether it is to be stopped, and stay."""
        if (hold := self._hold) is not None:
            self._ask(hold.question, "Stop it", "Go on with it", hold.stop)
        else:
            self._begin(code)

    def _begin(self, code: int) -> None:
        """Leave once a draft is kept, but do not wait for ever."""
        if self._code is not None:
            return
        self._code = code
        self._patience = OneShotTimer(self._app, PATIENCE, self._too_late)
        self._app.files.keep_last(self._kept)

    def _kept(self, draft: Path | None, trouble: str) -> None:
        """Leave, but ask when what was typed would be lost and there is somebody to be asked."""
        if self._patience is not None:
            self._patience.stop()
        code, self._code = self._code or 0, None
        if trouble and not self._cut:
            question = f"{trouble}. What is not saved is lost when you leave now."
            self._ask(question, "Leave", "Stay here", lambda: self._end(code, None, trouble))
        else:
            self._end(code, draft, trouble)

    def _too_late(self) -> None:
        """Either a draft hangs, or a save before it, which goes on when the wizard is gone."""
        files, lost = self._app.files, f"no draft of it was kept within {PATIENCE:.0f} seconds"
        if files.writing is None:
            self._end(self._code or 0, None, lost)
        else:
            since = "" if files.writes_all else f"{lost}, for a save was at work"
            self._end(self._code or 0, None, since, files.writing)

    def _ask(self, question: str, yes: str, no: str, then: Callable[[], None]) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        if not isinstance(self._app.screen, Confirm):
            dialog = Confirm(question, yes=yes, no=no)
            self._app.push_screen(dialog, lambda sure: then() if sure else None)

    def _end(self, code: int, draft: Path | None, lost: str, writing: Path | None = None) -> None:
        self._app.stop_jobs()
        saved = self._app.session.path if self._app.files.all_saved else None
        seen = self._app.session.installed
        runs = seen is not None and seen.summary is not None
        outcome = ExitOutcome(code=code, draft_of=draft, saved=saved, writing=writing, runs=runs, lost=lost)
        self._app.exit(outcome, return_code=code)

    def handle_signals(self) -> None:
        """A closed terminal and kill lead out as Ctrl-C does. Signals that are ignored stay so (nohup)."""
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name)
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.terminal_lost)

    def terminal_lost(self) -> None:
        """Nobody can be asked: a signal, or no terminal any more. What is held is stopped, and ends first."""
        if self._cut:
            return
        self._cut = True
        if self._hold is None:
            self._begin(STOPPED)
        else:
            self._app.asking.end()
            self._hold.stop()
