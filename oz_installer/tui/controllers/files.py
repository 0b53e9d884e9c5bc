"""Opening and saving answers files and drafts."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING

from oz_installer.errors import OzError
from oz_installer.tui.controllers.status import show_status
from oz_installer.tui.controllers.validation import validate
from oz_installer.tui.messages import (
    AnswersOpened,
    DraftFound,
    JobFailed,
    JobFinished,
    SaveConflict,
    Validation,
)
from oz_installer.tui.session import NEW_FILE
from oz_installer.tui.steps import STEPS, number, step_of

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.tui.controllers.draft_keeper import DraftKeeper, LastDraftSaved
    from oz_installer.tui.controllers.save_queue import SaveQueue
    from oz_installer.tui.core import AnswersApi
    from oz_installer.tui.jobs import Post
    from oz_installer.tui.wizard_protocol import WizardHost


class FileController:
    """Opens answers files and drafts in jobs, and handles the results of all file jobs."""

    def __init__(self, app: WizardHost, saves: SaveQueue, drafts: DraftKeeper) -> None:
        self._app = app
        self._saves = saves
        self._drafts = drafts
        self._after: Callable[[], None] | None = None
        self._waiting: Callable[[], None] | None = None

    # --- open -----------------------------------------------------------------------------------------
    def begin_with(self, path: Path | None, step_id: str | None) -> None:
        """Open the answers and the step that the command line names."""
        if path is not None:
            self.open(path, step_id)
            return
        core = self._app.core  # input without a choice on the start screen begins new answers
        self._app.jobs.start("free-path", lambda _post, _stop: free_file(core))
        if step_id is not None:
            self._app.go(step_id)

    def begin(self) -> None:
        """Start a new installation in a file that neither exists nor has a draft."""
        self._leave_for(self._begin)

    def _begin(self) -> None:
        core = self._app.core
        self._app.jobs.start("begin", lambda _post, _stop: free_file(core))

    def _free_path_found(self, path: Path) -> None:
        session = self._app.session
        if not session.is_file and session.path == NEW_FILE.absolute():
            session.path = path
            if self._app.step_screen is not None:
                self._app.step_screen.show_frame()

    def ask_to_open(self, step_id: str | None = None) -> None:
        """Choose an answers file and open it."""
        self._leave_for(lambda: self._choose(step_id))

    def _choose(self, step_id: str | None) -> None:
        from oz_installer.tui.dialogs.open import OpenDialog

        dialog = OpenDialog(self._app.core, Path.cwd())
        self._app.push_screen(dialog, lambda path: self.open(path, step_id) if path else None)

    def open(
        self,
        path: Path,
        step_id: str | None = None,
        *,
        anyway: bool = False,
        declined: SavedDraft | None = None,
    ) -> None:
        """Read an answers file, complete or not, and open a step, by default the first incomplete.

        If it has a draft, ask which of the two to open, unless ``anyway`` or the draft was ``declined``.
        """
        core = self._app.core

        def job(_post: object, _stop: object) -> tuple[AnswersOpened, Validation] | DraftFound:
            mine = (one for one in core.drafts() if one.target == path and not one.held)
            if not anyway and declined is None and (draft := next(mine, None)):
                return DraftFound(saved=draft, step=step_id)
            working, source = core.read(path)
            opened = AnswersOpened(working=working, path=path, source=source, step=step_id, declined=declined)
            return opened, validate(core, working)

        self._app.jobs.start("open", job)

    def _ask_which(self, saved: SavedDraft, step_id: str | None) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm
        from oz_installer.tui.views.time_text import ago

        asked = Confirm(
            f"There is a draft of {saved.target} with unsaved changes, saved "
            f"{ago(time.time() - saved.saved_at)}. Open it?",
            yes="Open the draft",
            no="Open the file",
        )
        self._app.push_screen(asked, lambda sure: self._chosen(saved, step_id, sure))

    def _chosen(self, saved: SavedDraft, step_id: str | None, sure: bool | None) -> None:
        """Open the draft or the file; nothing without an answer."""
        if sure:
            self._open_draft(saved)
        elif sure is not None:
            self.open(saved.target, step_id, declined=saved)

    def open_draft(self, saved: SavedDraft) -> None:
        """Continue a draft where it was left."""
        self._leave_for(lambda: self._open_draft(saved))

    def _open_draft(self, saved: SavedDraft) -> None:
        core = self._app.core

        def job(_post: object, _stop: object) -> tuple[AnswersOpened, Validation]:
            working = core.load_draft(saved)
            try:
                source = core.read(saved.target)[1] if core.exists(saved.target) else None
            except OzError:
                source = None  # broken now: saving asks before it replaces the file
            opened = AnswersOpened(
                working=working, path=saved.target, source=source, step=saved.step, draft=True
            )
            return opened, validate(core, working)

        self._app.jobs.start("open", job)

    def _leave_for(self, then: Callable[[], None]) -> None:
        """Switch to other answers once these are written and a draft is saved; ask before a loss."""
        self._waiting = None
        if self._refused():
            return
        if self._saves.busy:
            self._waiting = then
            show_status(self._app, "Your answers are still being written; the others open afterwards ...")
            return
        touched = self._app.session.has_unsaved_changes
        if (draft := self._drafts.draft_job()) is None:
            then()
            return
        self._after = then

        def job(post: Post, stop: Stop) -> bool:
            from oz_installer.answers.dotted_keys import plain_secrets

            return any(True for _ in plain_secrets(draft(post, stop).values)) and touched

        self._app.jobs.start("away", job, apart=True)

    def keep_last(self, then: LastDraftSaved) -> None:
        """Save the last draft, after pending saves, and pass the result to ``then``."""
        self._drafts.keep_last(then)
        if not self._saves.busy:
            self._all_written()

    def _save_ended(self, report: JobFinished | JobFailed) -> None:
        """Save a draft of later edits, call what waited for the save, and start the next save."""
        saved = self._saves.finish(report)
        if saved is not None:
            self._app.judge()
            self._drafts.draft_now()  # for edits during the save; else delete an obsolete draft
            if self._app.step_screen is not None:
                self._app.step_screen.follow()
            if saved.then is not None and not self._drafts.being_left:
                saved.then()
        self._saves.start_next()
        if not self._saves.busy:
            self._all_written()

    def _all_written(self) -> None:
        """Release and save drafts, and resume a pending switch to other answers."""
        self._drafts.all_written()
        if self._drafts.being_left:
            self._waiting = None
        self.resume()

    def resume(self) -> None:
        """Switch to the pending answers, if any, when nothing is written and no dialog is open."""
        waiting, step = self._waiting, self._app.step_screen
        if waiting is not None and not self._saves.busy and step is not None and step.is_active:
            self._leave_for(waiting)

    def _leave(self, forgets: bool) -> None:
        if forgets:
            self._ask_to_leave("Unsaved passwords are not kept in a draft")
        elif self._after is not None:
            self._after()

    def _ask_to_leave(self, why: str) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        after = self._after
        asked = Confirm(f"{why}. Anything not saved is lost if you continue.", yes="Continue", no="Stay here")
        self._app.push_screen(asked, lambda sure: after() if sure and after is not None else None)

    def _refused(self) -> bool:
        """Refuse to open other answers while an installation is running."""
        if self._app.leaving.held:
            show_status(
                self._app, "! An installation is running: wait until it ends, or stop it in step Install."
            )
        return self._app.leaving.held

    def _opened(self, opened: AnswersOpened, judged: Validation) -> None:
        session = self._app.session
        self._drafts.release_current(opened.path if opened.draft else None)
        session.open(opened)
        session.judged = judged
        ordered = sorted(judged.problems, key=lambda problem: number(step_of(problem.key)))
        left = (one for one in ordered if opened.working.is_omitted(one.key))
        first = next(chain(left, ordered), None)
        needed = step_of(first.key) if first else "review"
        known = opened.step in {one.id for one in (STEPS[1:] if opened.draft else STEPS)}
        step_id = opened.step if opened.step and known else needed
        self._app.start_over(step_id, first.key if first and step_id == needed else None)
        if opened.working.lost:
            lost, *others = opened.working.lost
            more = f" and {len(others)} more" if others else ""
            show_status(self._app, f"! No field can show this, fix it in the file: {lost}{more}", bad=True)

    # --- results of jobs ------------------------------------------------------------------------------
    def receive(self, report: object) -> None:
        """Handle the result of a job."""
        match report:
            case JobFinished(job="open" | "begin" | "away") if self._refused():
                pass  # its installation would run on behind a screen that has gone
            case JobFinished(job="open", result=(AnswersOpened() as opened, Validation() as judged)):
                self._opened(opened, judged)
            case JobFinished(job="begin", result=Path() as path):
                self._drafts.release_current()
                self._app.session.reset(path)
                self._app.start_over(STEPS[1].id)
            case JobFinished(job="free-path", result=Path() as path):
                self._free_path_found(path)
            case JobFinished(job="last") | JobFailed(job="last"):
                self._drafts.last_saved(report)
            case JobFinished(job="save", result=SaveConflict()) if self._waiting is not None:
                self._waiting = None
                self._save_ended(report)
                show_status(self._app, "! The file was not opened: answer the question about saving first.")
            case JobFinished(job="save"):
                self._save_ended(report)
            case JobFailed(job="save", message=message, hint=hint):
                self._waiting = None  # the current answers stay
                self._save_ended(report)
                show_status(self._app, f"error: {message}. {hint}", bad=True)
            case JobFinished(job="open", result=DraftFound(saved=saved, step=step_id)):
                self._ask_which(saved, step_id)
            case JobFinished(job="away", result=bool() as forgets):
                self._leave(forgets)
            case JobFailed(job="away", message=message):
                self._ask_to_leave(message)
            case JobFailed(message=message, hint=hint):
                show_status(self._app, f"error: {message}. {hint}", bad=True)


def free_file(core: AnswersApi) -> Path:
    """Return a path for new answers that neither exists nor has a draft."""
    folder, taken = NEW_FILE.absolute().parent, {saved.target for saved in core.drafts()}
    names = (NEW_FILE.name, *(f"{NEW_FILE.stem}-{n}{NEW_FILE.suffix}" for n in range(2, 1000)))
    free = (folder / name for name in names)
    return next(path for path in free if path not in taken and not core.exists(path))
