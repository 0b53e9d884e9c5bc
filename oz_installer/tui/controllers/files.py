"""Opening, saving and drafts: the answers and the files that they stand in."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING

from oz_installer.errors import OzError
from oz_installer.tui.controllers.draft_keeper import DraftKeeper
from oz_installer.tui.controllers.validation import validate
from oz_installer.tui.core import (
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
    from oz_installer.tui.core import Core
    from oz_installer.tui.jobs import Tell
    from oz_installer.tui.wizard_protocol import WizardHost


class FileController(DraftKeeper):
    """What the app does with files, in jobs."""

    def __init__(self, app: WizardHost) -> None:
        super().__init__(app)
        self._after: Callable[[], None] | None = None
        self._waiting: Callable[[], None] | None = None

    # --- open -----------------------------------------------------------------------------------------
    def begin_with(self, path: Path | None, step_id: str | None) -> None:
        """What the command line named: answers to read, a step to open."""
        if path is not None:
            self.open(path, step_id)
            return
        core = self._app.core  # who answers without having chosen what to begin with begins something new
        self._app.jobs.start("room", lambda _tell, _stop: free_file(core))
        if step_id is not None:
            self._app.go(step_id)

    def begin(self) -> None:
        """A new installation, in a file that neither exists nor has a draft."""
        self._away(self._begin)

    def _begin(self) -> None:
        core = self._app.core
        self._app.jobs.start("begin", lambda _tell, _stop: free_file(core))

    def _room_found(self, path: Path) -> None:
        session = self._app.session
        if not session.is_file and session.path == NEW_FILE.absolute():
            session.path = path
            if self._app.step_screen is not None:
                self._app.step_screen.show_frame()

    def ask_to_open(self, step_id: str | None = None) -> None:
        """Choose an answers file, and open it."""
        self._away(lambda: self._choose(step_id))

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
        """Read an answers file, complete or not, and go to a step: by default where it is needed first.

        Where there is a draft of it, it is asked which of the two; not with ``anyway``, or once it was
        ``declined``.
        """
        core = self._app.core

        def job(_tell: object, _stop: object) -> tuple[AnswersOpened, Validation] | DraftFound:
            mine = (one for one in core.drafts() if one.target == path and not one.held)
            if not anyway and declined is None and (draft := next(mine, None)):
                return DraftFound(saved=draft, step=step_id)
            working, source = core.read(path)
            opened = AnswersOpened(working=working, path=path, source=source, step=step_id, declined=declined)
            return opened, validate(core, working)

        self._app.jobs.start("open", job)

    def _ask_which(self, saved: SavedDraft, step_id: str | None) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm
        from oz_installer.tui.screens.start import ago

        asked = Confirm(
            f"There is a draft of {saved.target}, kept {ago(time.time() - saved.saved_at)}: what was typed "
            "and not saved. Go on with it?",
            yes="Go on with the draft",
            no="Open the file as it is",
        )
        self._app.push_screen(asked, lambda sure: self._chosen(saved, step_id, sure))

    def _chosen(self, saved: SavedDraft, step_id: str | None, sure: bool | None) -> None:
        """Without an answer nothing is opened."""
        if sure:
            self._open_draft(saved)
        elif sure is not None:
            self.open(saved.target, step_id, declined=saved)

    def open_draft(self, saved: SavedDraft) -> None:
        """Go on with a draft where it was left."""
        self._away(lambda: self._open_draft(saved))

    def _open_draft(self, saved: SavedDraft) -> None:
        core = self._app.core

        def job(_tell: object, _stop: object) -> tuple[AnswersOpened, Validation]:
            working = core.load_draft(saved)
            try:
                source = core.read(saved.target)[1] if core.exists(saved.target) else None
            except OzError:
                source = None  # broken meanwhile: saving asks before it is replaced
            opened = AnswersOpened(
                working=working, path=saved.target, source=source, step=saved.step, draft=True
            )
            return opened, validate(core, working)

        self._app.jobs.start("open", job)

    def _away(self, then: Callable[[], None]) -> None:
        """Go on to other answers once these are written and a draft of what is not saved is kept; ask where
        something would be lost."""
        self._waiting = None
        if self._refused():
            return
        if self._at_work:
            self._waiting = then
            self._say("Your answers are still being written; other ones follow ...")
            return
        touched = self._app.session.has_unsaved_changes
        if (draft := self._draft()) is None:
            then()
            return
        self._after = then

        def job(tell: Tell, stop: Stop) -> bool:
            from oz_installer.answers.dotted_keys import plain_secrets

            return any(True for _ in plain_secrets(draft(tell, stop).values)) and touched

        self._app.jobs.start("away", job, apart=True)

    def all_written(self) -> None:
        """Who goes on to other answers has waited for that."""
        super().all_written()
        if self.being_left:
            self._waiting = None
        self.go_on()

    def go_on(self) -> None:
        """Go on to the other answers that wait, if any, once these are written and no dialog is open."""
        waiting, step = self._waiting, self._app.step_screen
        if waiting is not None and not self._at_work and step is not None and step.is_active:
            self._away(waiting)

    def _gone(self, forgets: bool) -> None:
        if forgets:
            self._ask_to_go("Passwords that were typed and not saved are not kept in a draft")
        elif self._after is not None:
            self._after()

    def _ask_to_go(self, why: str) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        after = self._after
        asked = Confirm(f"{why}. What is not kept is lost when you go on.", yes="Go on", no="Stay here")
        self._app.push_screen(asked, lambda sure: after() if sure and after is not None else None)

    def _refused(self) -> bool:
        """Other answers are not opened while these are carried out."""
        if self._app.leaving.held:
            self._say("! An installation is at work; wait for its end, or stop it in the step Install.")
        return self._app.leaving.held

    def _opened(self, opened: AnswersOpened, judged: Validation) -> None:
        session, self._drafted = self._app.session, False
        self.let_go(opened.path if opened.draft else None)
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
            self._say(f"! No field can show this; mend it in the file itself: {lost}{more}", bad=True)

    # --- what the jobs say ----------------------------------------------------------------------------
    def heard(self, news: object) -> None:
        """How a job ended."""
        match news:
            case JobFinished(job="open" | "begin" | "away") if self._refused():
                pass  # its installation would run on behind a screen that has gone
            case JobFinished(job="open", result=(AnswersOpened() as opened, Validation() as judged)):
                self._opened(opened, judged)
            case JobFinished(job="begin", result=Path() as path):
                self._drafted = False
                self.let_go()
                self._app.session.reset(path)
                self._app.start_over(STEPS[1].id)
            case JobFinished(job="room", result=Path() as path):
                self._room_found(path)
            case JobFinished(job="last") | JobFailed(job="last"):
                self.kept_last(news)
            case JobFinished(job="save", result=SaveConflict()) if self._waiting is not None:
                self._waiting = None
                self.saved(news)
                self._say("! Other answers were not opened: your save asks something first. Open them then.")
            case JobFinished(job="save"):
                self.saved(news)
            case JobFailed(job="save", message=message, hint=hint):
                self._waiting = None  # they stay
                self.saved(news)
                self._say(f"error: {message}. {hint}", bad=True)
            case JobFinished(job="open", result=DraftFound(saved=saved, step=step_id)):
                self._ask_which(saved, step_id)
            case JobFinished(job="away", result=bool() as forgets):
                self._gone(forgets)
            case JobFailed(job="away", message=message):
                self._ask_to_go(message)
            case JobFailed(message=message, hint=hint):
                self._say(f"error: {message}. {hint}", bad=True)


def free_file(core: Core) -> Path:
    """Where the answers of a new installation belong: a file that neither exists nor has a draft."""
    folder, taken = NEW_FILE.absolute().parent, {saved.target for saved in core.drafts()}
    names = (NEW_FILE.name, *(f"{NEW_FILE.stem}-{n}{NEW_FILE.suffix}" for n in range(2, 1000)))
    free = (folder / name for name in names)
    return next(path for path in free if path not in taken and not core.exists(path))
