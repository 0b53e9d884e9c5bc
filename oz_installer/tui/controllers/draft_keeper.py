"""Drafts of unsaved answers, saved in pauses, at every step and on exit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event as Stop
from threading import Thread
from typing import TYPE_CHECKING

from oz_installer.tui.controllers.save_queue import PATIENCE
from oz_installer.tui.controllers.status import show_status
from oz_installer.tui.messages import JobFailed, JobFinished
from oz_installer.tui.steps import FIRST
from oz_installer.tui.timer import OneShotTimer

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.controllers.save_queue import SaveQueue
    from oz_installer.tui.controllers.write_order import WriteOrder
    from oz_installer.tui.jobs import Post
    from oz_installer.tui.wizard_protocol import WizardHost

QUIET = 2.0
"""Seconds after the last key before a draft is saved."""

LastDraftSaved = Callable[[Path | None, str], None]
"""Called with the answers file whose draft was saved, if any, and with the error, if any."""


class DraftKeeper:
    """Saves drafts in jobs that the program does not wait for at exit."""

    def __init__(self, app: WizardHost, order: WriteOrder, saves: SaveQueue) -> None:
        self._app = app
        self._order = order
        self._saves = saves
        self._timer: OneShotTimer | None = None
        self._drafted = False
        """True while there is a draft of unsaved changes."""
        self._step = FIRST
        self._last: LastDraftSaved | None = None
        self._continued: Path | None = None
        """Answers file of the draft that was opened last."""
        self._left: dict[Path, bool] = {}
        """Answers files that are no longer edited but whose drafts this wizard still owns."""

    @property
    def being_left(self) -> bool:
        """True while the wizard waits for the last draft before it exits."""
        return self._last is not None

    def draft_soon(self) -> None:
        """Save a draft once nothing is typed for a while."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = OneShotTimer(self._app, QUIET, self.draft_now)

    def draft_now(self, step_id: str | None = None) -> None:
        """Save a draft in the background."""
        if self._last is None and (draft := self.draft_job(step_id)) is not None:
            self._app.jobs.start("draft", draft, apart=True)

    def keep_last(self, then: LastDraftSaved) -> None:
        """Save the last draft in ``all_written``, and pass the result to ``then``."""
        self._last = then

    def release_current(self, draft_of: Path | None = None) -> None:
        """Release the draft of the current answers once nothing is being written.

        Another wizard may then continue it. The draft of ``draft_of`` was just opened and is kept.
        """
        self._drafted = False
        session = self._app.session
        if session.is_open:
            self._left[session.path] = True
        self._continued = draft_of
        if draft_of is not None:
            self._left.pop(draft_of, None)
        self._release_left()

    def _release_left(self) -> None:
        if self._left and not self._saves.busy:

            def job(_post: Post, _stop: Stop) -> None:
                with self._order.lock:
                    self._release(*self._left)

            self._app.jobs.start("release", job, apart=True)

    def _release(self, *paths: Path) -> None:
        """Release the drafts of those paths that are no longer edited. The caller holds the lock."""
        for path in paths:
            if self._left.pop(path, False):
                self._app.core.release_draft(path)

    def all_written(self) -> None:
        """Release drafts and save the last one, now that nothing is being written."""
        self._release_left()
        if self._last is None:
            return
        if (draft := self.draft_job()) is None:
            self._end_last(None, "")
        else:
            show_status(self._app, "Saving a draft of your answers before quitting ...")
            self._app.jobs.start("last", draft, apart=True)

    def last_saved(self, report: JobFinished | JobFailed) -> None:
        """Handle the result of the last draft; save again if something was typed in between."""
        session = self._app.session
        if isinstance(report, JobFailed):
            self._end_last(None, report.message)
        elif report.result is not session.working:
            self.all_written()
        else:
            self._end_last(session.path if session.has_unsaved_changes else None, "")

    def _end_last(self, kept: Path | None, trouble: str) -> None:
        then, self._last = self._last, None
        if then is not None:
            then(kept, trouble)

    def draft_in_a_fault(self) -> None:
        """Save a draft while the wizard crashes; wait for it for a few seconds at most."""
        draft = self.draft_job()

        def keep() -> None:
            with suppress(Exception):  # the crash itself is reported
                if draft is not None:
                    draft(lambda _report: None, Stop())

        thread = Thread(target=keep, daemon=True)
        thread.start()
        thread.join(PATIENCE)

    def draft_job(self, step_id: str | None = None) -> Callable[[Post, Stop], WorkingCopy] | None:
        """Return a job that saves the answers as a draft; None when there is nothing to save.

        The job returns the answers. It deletes the draft of answers that equal the file again.
        """
        here = self._app.step_screen
        left_at = step_id or (here.STEP if here else self._step)
        self._step = self._step if left_at == FIRST else left_at  # a draft never continues at the start
        session, core, step = self._app.session, self._app.core, self._step
        working, path, touched = session.working, session.path, session.has_unsaved_changes
        if not touched and not self._drafted:
            return None
        self._drafted = touched
        order = self._order
        turn, identity = order.next_turn(path), session.identity

        def job(_post: Post, _stop: Stop) -> WorkingCopy:
            with order.lock:
                self._release(path)  # their other draft belongs to other answers
                if not order.is_latest(path, turn):
                    pass  # a newer state was saved in between
                elif touched:
                    core.save_draft(working, path, step)
                else:
                    core.delete_own_draft(path)
                if session.identity is not identity and path != self._continued:
                    core.release_draft(path)  # they are no longer edited
            return working

        return job
