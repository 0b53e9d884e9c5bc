"""The ways out: Ctrl-Q, Ctrl-C, signals. Unsaved answers are kept as a draft; what is at work ends first."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oz_installer.tui.app import WizardApp

STOPPED = 130


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the wizard was left: exit code, and the answers file whose unsaved answers are kept as a draft;
    ``lost`` says why they could not be kept."""

    code: int = 0
    draft_of: Path | None = None
    lost: str = ""


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Something that must not be cut off. ``question`` is asked before ``stop`` is called."""

    question: str
    stop: Callable[[], None]


class Leaving:
    """Ends the app."""

    def __init__(self, app: WizardApp) -> None:
        self._app = app
        self._hold: Hold | None = None
        self._pending: int | None = None

    @property
    def held(self) -> bool:
        """Whether something must not be cut off."""
        return self._hold is not None

    def hold(self, hold: Hold) -> None:
        """Do not leave without asking, until ``release``."""
        self._hold = hold

    def release(self) -> None:
        """What was held has ended. Leaves, if that was wanted and could not wait for an answer."""
        self._hold = None
        if self._pending is not None:
            self.end(self._pending)

    def leave(self, code: int) -> None:
        """Leave. While something is held ask whether it is to be stopped, and stay; ask, too, when what was
        typed would be lost."""
        if (hold := self._hold) is not None:
            self._ask(hold.question, "Stop it", "Go on with it", hold.stop)
            return
        files = self._app.files
        files.draft_at_once()
        if files.trouble:
            question = f"{files.trouble}. What is not saved is lost when you leave now."
            self._ask(question, "Leave", "Stay here", lambda: self.end(code))
        else:
            self.end(code)

    def _ask(self, question: str, yes: str, no: str, then: Callable[[], None]) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        if not isinstance(self._app.screen, Confirm):
            dialog = Confirm(question, yes=yes, no=no)
            self._app.push_screen(dialog, lambda sure: then() if sure else None)

    def end(self, code: int) -> None:
        """Leave now."""
        draft = self._app.files.draft_at_once()
        self._app.stop_jobs()
        outcome = Outcome(code=code, draft_of=draft, lost=self._app.files.trouble)
        self._app.exit(outcome, return_code=code)

    def heed_signals(self) -> None:
        """A closed terminal and kill lead out as Ctrl-C does. Signals that are ignored stay so (nohup)."""
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name)
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.cut_off)

    def cut_off(self) -> None:
        """Nobody can be asked: a signal, or no terminal any more. What is held is stopped, and ends first."""
        if self._pending is not None:
            return
        self._pending = STOPPED
        if self._hold is None:
            self.end(STOPPED)
            return
        self._app.files.draft_at_once()
        self._hold.stop()
