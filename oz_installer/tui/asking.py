"""Asks the operator for a secret while a job waits for it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from oz_installer.errors import AnswersError

if TYPE_CHECKING:
    from oz_installer.secret import Secret
    from oz_installer.tui.app import WizardApp


class Asking:
    """Called by jobs with what is asked for. Each is asked for once a session, and kept in memory only."""

    def __init__(self, app: WizardApp) -> None:
        self._app = app
        self._given: dict[str, Secret] = {}
        self._waiting: list[Future[Secret | None]] = []

    def __call__(self, label: str) -> Secret:
        """The secret. Raises AnswersError when the operator gives none."""
        if label not in self._given:
            from oz_installer.tui.dialogs.ask import AskSecret

            answered: Future[Secret | None] = Future()
            self._waiting.append(answered)
            self._app.call_from_thread(self._app.push_screen, AskSecret(label), answered.set_result)
            given = answered.result()
            if given is None:
                raise AnswersError(f"{label} was not given", "Try again, or say where it is to be had.")
            self._given[label] = given
        return self._given[label]

    def forget(self) -> None:
        """Ask again next time: what was given may have been wrong."""
        self._given.clear()

    def give_up(self) -> None:
        """Nobody answers any more."""
        for answered in self._waiting:
            if not answered.done():
                answered.set_result(None)
