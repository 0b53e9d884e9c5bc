"""Validation of the answers and of the files that they name, in jobs: it takes over a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from oz_installer.tui.messages import JobFinished, Validation
from oz_installer.tui.timer import OneShotTimer

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.errors import Problem
    from oz_installer.tui.core import AdviceApi
    from oz_installer.tui.wizard_protocol import WizardHost


class ValidationController:
    """Keeps the validation of the current answers up to date."""

    def __init__(self, app: WizardHost) -> None:
        self._app = app
        self._timer: OneShotTimer | None = None

    @property
    def under_way(self) -> bool:
        """True while the current answers await validation: a timer is set or a job is running."""
        waits = self._timer is not None and self._timer.pending
        return waits or self._app.jobs.running("judge")

    def soon(self, after: float = 0.0) -> None:
        """Validate after a delay in seconds; a later call restarts the delay."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = OneShotTimer(self._app, after, self._judge)

    def receive(self, report: JobFinished) -> None:
        """Handle the result of a validation job."""
        match report:
            case JobFinished(job="judge", result=Validation() as judged):
                self._show(judged)
                self._check_files()
            case JobFinished(job="files", result=(identity, working, files)):
                self._files_checked(identity, working, files)

    def _judge(self) -> None:
        session, screen, core = self._app.session, self._app.step_screen, self._app.core
        working, before, keys = session.working, session.judged, screen.keys() if screen else ()
        self._app.jobs.start("judge", lambda _post, _stop: validate(core, working, keys, before))

    def _check_files(self) -> None:
        """Check the named files, one job at a time; nothing waits for it, as a disk may hang."""
        if not self._app.jobs.running("files"):
            session, core = self._app.session, self._app.core
            identity, working, path = session.identity, session.working, session.path

            def job(_post: object, _stop: object) -> tuple[object, WorkingCopy, tuple[Problem, ...]]:
                return identity, working, core.file_problems(working, path)

            self._app.jobs.start("files", job, apart=True)

    def _files_checked(self, identity: object, working: WorkingCopy, files: tuple[Problem, ...]) -> None:
        session = self._app.session
        if identity is session.identity:
            session.files = files
            self._show(session.judged)
        if working is not session.working:
            self._check_files()

    def _show(self, judged: Validation | None) -> None:
        if judged is not None:
            self._app.session.judged = replace(judged, files=self._app.session.files)
        if self._app.step_screen is not None:
            self._app.step_screen.follow()


def validate(
    core: AdviceApi, working: WorkingCopy, keys: Sequence[str] = (), before: Validation | None = None
) -> Validation:
    """Return the problems of the answers and the allowed values of ``keys``.

    ``before`` provides the problems of the same answers, which saves work while a step is opened.
    """
    known = before.problems if before and before.working is working else None
    return Validation(
        working=working,
        problems=core.validate(working) if known is None else known,
        allowed_values=core.allowed_values(working, keys),
    )
