"""Judging the answers, and the files that they name: in jobs, for that takes longer than a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from oz_installer.tui.core import JobFinished, Validation
from oz_installer.tui.timer import OneShotTimer

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.errors import Problem
    from oz_installer.tui.core import Core
    from oz_installer.tui.wizard_protocol import WizardHost


class ValidationController:
    """Keeps what is known of the answers on the screen up to date."""

    def __init__(self, app: WizardHost) -> None:
        self._app = app
        self._timer: OneShotTimer | None = None

    @property
    def under_way(self) -> bool:
        """Whether the answers on the screen are still to be validated: a timer is set, or a job at work."""
        waits = self._timer is not None and self._timer.pending
        return waits or self._app.jobs.running("judge")

    def soon(self, after: float = 0.0) -> None:
        """Judge in so many seconds; again from then on where that was said before."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = OneShotTimer(self._app, after, self._judge)

    def heard(self, news: JobFinished) -> None:
        """What a job has found."""
        match news:
            case JobFinished(job="judge", result=Validation() as judged):
                self._show(judged)
                self._look_at_files()
            case JobFinished(job="files", result=(identity, working, files)):
                self._files_seen(identity, working, files)

    def _judge(self) -> None:
        session, screen, core = self._app.session, self._app.step_screen, self._app.core
        working, before, keys = session.working, session.judged, screen.keys() if screen else ()
        self._app.jobs.start("judge", lambda _tell, _stop: validate(core, working, keys, before))

    def _look_at_files(self) -> None:
        """They may lie on a disk that hangs: nobody waits for it, and there is one look at a time."""
        if not self._app.jobs.running("files"):
            session, core = self._app.session, self._app.core
            identity, working, path = session.identity, session.working, session.path

            def job(_tell: object, _stop: object) -> tuple[object, WorkingCopy, tuple[Problem, ...]]:
                return identity, working, core.file_problems(working, path)

            self._app.jobs.start("files", job, apart=True)

    def _files_seen(self, identity: object, working: WorkingCopy, files: tuple[Problem, ...]) -> None:
        session = self._app.session
        if identity is session.identity:
            session.files = files
            self._show(session.judged)
        if working is not session.working:
            self._look_at_files()

    def _show(self, judged: Validation | None) -> None:
        if judged is not None:
            self._app.session.judged = replace(judged, files=self._app.session.files)
        if self._app.step_screen is not None:
            self._app.step_screen.follow()


def validate(
    core: Core, working: WorkingCopy, keys: Sequence[str] = (), before: Validation | None = None
) -> Validation:
    """What is wrong with the answers, and what may be chosen for the questions of ``keys``. Of the
    same answers ``before`` knows the first: a step is opened, and the screen wants the processor, too."""
    known = before.problems if before and before.working is working else None
    return Validation(
        working=working,
        problems=core.validate(working) if known is None else known,
        allowed_values=core.allowed_values(working, keys),
    )
