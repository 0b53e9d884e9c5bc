"""Drafts: what is typed and not saved is kept while nothing happens, at every step, and when leaving."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event as Stop
from threading import Thread
from typing import TYPE_CHECKING

from oz_installer.tui.controllers.save_queue import PATIENCE, SaveQueue
from oz_installer.tui.core import JobFailed, JobFinished
from oz_installer.tui.steps import FIRST
from oz_installer.tui.timer import OneShotTimer

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.jobs import Tell
    from oz_installer.tui.wizard_protocol import WizardHost

QUIET = 2.0
"""So long after the last key a draft is kept, in seconds."""

Left = Callable[[Path | None, str], None]
"""Called with the answers file whose draft was kept, if any, and with why it could not be."""


class DraftKeeper(SaveQueue):
    """What the app does to keep drafts, in jobs that it does not wait for when it has ended."""

    def __init__(self, app: WizardHost) -> None:
        super().__init__(app)
        self._drafting: OneShotTimer | None = None
        self._step = FIRST
        self._last: Left | None = None
        self._gone_on_with: Path | None = None
        """Answers whose draft was opened last."""
        self._left: dict[Path, bool] = {}
        """Answers that are edited no more, and whose drafts are still this wizard's."""

    @property
    def being_left(self) -> bool:
        """Whether the last draft is awaited."""
        return self._last is not None

    def draft_soon(self) -> None:
        """Keep a draft when nothing was typed for a while."""
        if self._drafting is not None:
            self._drafting.stop()
        self._drafting = OneShotTimer(self._app, QUIET, self.draft_now)

    def draft_now(self, step_id: str | None = None) -> None:
        """Keep a draft in the background."""
        if self._last is None and (draft := self._draft(step_id)) is not None:
            self._app.jobs.start("draft", draft, apart=True)

    def keep_last(self, then: Left) -> None:
        """Keep a draft for good, behind what is being saved; ``then`` learns how that went."""
        self._last = then
        if not self._at_work:
            self.all_written()

    def let_go(self, draft_of: Path | None = None) -> None:
        """Other answers are edited from now on: another wizard may go on with the draft of these, once
        nothing is being written. A draft of the answers ``draft_of`` was opened, and is not let go of."""
        session = self._app.session
        if session.is_open:
            self._left[session.path] = True
        self._gone_on_with = draft_of
        if draft_of is not None:
            self._left.pop(draft_of, None)
        self._let_go()

    def _let_go(self) -> None:
        if self._left and not self._at_work:

            def job(_tell: Tell, _stop: Stop) -> None:
                with self._writing:
                    self._release(*self._left)

            self._app.jobs.start("let-go", job, apart=True)

    def _release(self, *paths: Path) -> None:
        """Of these whichever were left. Called with the lock."""
        for path in paths:
            if self._left.pop(path, False):
                self._app.core.release_draft(path)

    def all_written(self) -> None:
        """Who leaves, or has left these answers, has waited for that."""
        self._let_go()
        if self._last is None:
            return
        if (draft := self._draft()) is None:
            self._tell_last(None, "")
        else:
            self._say("Keeping a draft of your answers before leaving ...")
            self._app.jobs.start("last", draft, apart=True)

    def kept_last(self, news: JobFinished | JobFailed) -> None:
        """The last draft is kept, or cannot be. What was typed meanwhile belongs to it, too."""
        session = self._app.session
        if isinstance(news, JobFailed):
            self._tell_last(None, news.message)
        elif news.result is not session.working:
            self.all_written()
        else:
            self._tell_last(session.path if session.has_unsaved_changes else None, "")

    def _tell_last(self, kept: Path | None, trouble: str) -> None:
        then, self._last = self._last, None
        if then is not None:
            then(kept, trouble)

    def draft_in_a_fault(self) -> None:
        """Keep a draft although the wizard ends here and now: nobody is served any more who could wait."""
        draft = self._draft()

        def keep() -> None:
            with suppress(Exception):  # the fault itself is told
                if draft is not None:
                    draft(lambda _news: None, Stop())

        thread = Thread(target=keep, daemon=True)
        thread.start()
        thread.join(PATIENCE)

    def _draft(self, step_id: str | None = None) -> Callable[[Tell, Stop], WorkingCopy] | None:
        """A job that keeps the answers as they are now, and returns them; None when nothing is to be kept.
        What was edited back to what the file says needs its draft no more."""
        here = self._app.step_screen
        left_at = step_id or (here.STEP if here else self._step)
        self._step = self._step if left_at == FIRST else left_at  # nobody wants to go on at the start
        session, core, step = self._app.session, self._app.core, self._step
        working, path, touched = session.working, session.path, session.has_unsaved_changes
        if not touched and not self._drafted:
            return None
        self._drafted = touched
        turn, identity = self._next_turn(path), session.identity

        def job(_tell: Tell, _stop: Stop) -> WorkingCopy:
            with self._writing:
                self._release(path)  # another draft of them is that of other answers
                if turn != self._turns[path]:
                    pass  # something newer of it was kept, or saved, meanwhile
                elif touched:
                    core.save_draft(working, path, step)
                else:
                    core.delete_own_draft(path)
                if session.identity is not identity and path != self._gone_on_with:
                    core.release_draft(path)  # they were left meanwhile
            return working

        return job
