"""Opening, saving and drafts: the answers and the files that they stand in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from textual.timer import Timer

from oz_installer.errors import OzError
from oz_installer.tui.bridge import Failed, Finished, Judged, Kept, Occupied, Opened
from oz_installer.tui.session import NEW_FILE
from oz_installer.tui.steps import STEPS, number, step_of

if TYPE_CHECKING:
    from oz_installer.answers.drafts import SavedDraft
    from oz_installer.tui.app import WizardApp

QUIET = 2.0
"""So long after the last key a draft is kept, in seconds."""


class Filing:
    """What the app does with files, in jobs."""

    def __init__(self, app: WizardApp) -> None:
        self._app = app
        self._drafting: Timer | None = None
        self._step = "start"
        self._writing = Lock()
        self._turn = 0
        self._then: Callable[[], None] | None = None
        self.trouble = ""

    # --- open -----------------------------------------------------------------------------------------
    def begin(self) -> None:
        """A new installation, in a file that neither exists nor has a draft."""
        if self._refused():
            return
        self.draft_now()
        core, folder = self._app.core, NEW_FILE.absolute().parent

        def job(_tell: object, _stop: object) -> Path:
            taken = {saved.target for saved in core.drafts()}
            names = (NEW_FILE.name, *(f"{NEW_FILE.stem}-{n}{NEW_FILE.suffix}" for n in range(2, 1000)))
            free = (folder / name for name in names)
            return next(path for path in free if path not in taken and not core.exists(path))

        self._app.jobs.start("begin", job)

    def ask_to_open(self, step_id: str | None = None) -> None:
        """Choose an answers file, and open it."""
        if self._refused():
            return
        from oz_installer.tui.dialogs.open import OpenDialog

        self.draft_now()
        dialog = OpenDialog(self._app.core, Path.cwd())
        self._app.push_screen(dialog, lambda path: self.open(path, step_id) if path else None)

    def open(self, path: Path, step_id: str | None = None) -> None:
        """Read an answers file, complete or not, and go to a step: by default where it is needed first."""
        core = self._app.core

        def job(_tell: object, _stop: object) -> tuple[Opened, Judged]:
            working, source = core.read(path)
            opened = Opened(working=working, path=path, source=source, step=step_id)
            return opened, Judged(working=working, problems=core.judge(working))

        self._app.jobs.start("open", job)

    def open_draft(self, saved: SavedDraft) -> None:
        """Go on with a draft where it was left."""
        if self._refused():
            return
        core = self._app.core

        def job(_tell: object, _stop: object) -> tuple[Opened, Judged]:
            working = core.load_draft(saved)
            source = core.read(saved.target)[1] if core.exists(saved.target) else None
            opened = Opened(working=working, path=saved.target, source=source, step=saved.step, draft=True)
            return opened, Judged(working=working, problems=core.judge(working))

        self._app.jobs.start("open", job)

    def _refused(self) -> bool:
        """Other answers are not opened while these are carried out."""
        if self._app.leaving.held:
            self._say("! An installation is at work; wait for its end, or stop it in the step Install.")
        return self._app.leaving.held

    def _opened(self, opened: Opened, judged: Judged) -> None:
        session = self._app.session
        session.open(opened)
        session.judged = judged
        ordered = sorted(judged.problems, key=lambda problem: number(step_of(problem.key)))
        left = (one for one in ordered if opened.working.left_out(one.key))
        first = next(left, ordered[0] if ordered else None)
        needed = step_of(first.key) if first else "review"
        known = opened.step in {one.id for one in STEPS}
        step_id = opened.step if opened.step and known else needed
        self._app.start_over(step_id, first.key if first and step_id == needed else None)
        if lost := opened.working.lost:
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            self._say(f"! What no field can show stays in the file: {lost[0]}{more}", bad=True)

    # --- save -----------------------------------------------------------------------------------------
    def save(self, then: Callable[[], None] | None = None) -> None:
        """Write the answers; ask where, the first time. ``then`` is called once they are written."""
        session = self._app.session
        self._then = then
        if session.is_file:
            self.save_as(session.path)
            return
        from oz_installer.tui.dialogs.save import SaveDialog

        self._app.push_screen(SaveDialog(session.path), lambda path: self.save_as(path) if path else None)

    def save_elsewhere(self) -> None:
        """Ask where, and write the answers there."""
        from oz_installer.tui.dialogs.save import SaveDialog

        self._then = None
        path = self._app.session.path
        self._app.push_screen(SaveDialog(path), lambda path: self.save_as(path) if path else None)

    @property
    def all_saved(self) -> bool:
        """Whether the answers file says what is on the screen."""
        return self._app.session.is_file and not self._app.session.touched

    def save_as(self, path: Path, *, replace: bool = False) -> None:
        """Write the answers there. Another file than the opened one is replaced only when that was asked."""
        session, core = self._app.session, self._app.core
        working, source = session.working, session.source
        own = replace or (session.is_file and path == session.path)

        def job(_tell: object, _stop: object) -> Kept | Occupied:
            if not own and core.exists(path):
                return Occupied(path=path)
            kept = core.keep(working, path, source)
            with self._writing:
                self._turn += 1
                core.drop_draft(path)
            return Kept(working=kept, written=working, path=path, source=core.read(path)[1])

        self._app.jobs.start("save", job)

    def _ask_to_replace(self, path: Path) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        dialog = Confirm(f"{path} is there already. Replace it?", yes="Replace it", no="Keep it")
        self._app.push_screen(dialog, lambda sure: self.save_as(path, replace=True) if sure else None)

    # --- drafts ---------------------------------------------------------------------------------------
    def draft_soon(self) -> None:
        """Keep a draft when nothing was typed for a while."""
        if self._drafting is not None:
            self._drafting.stop()
        self._drafting = self._app.set_timer(QUIET, self.draft_now)

    def draft_now(self, step_id: str | None = None) -> None:
        """Keep a draft in the background."""
        here = self._app.step_screen
        self._step = step_id or (here.STEP if here else self._step)
        session, core, step = self._app.session, self._app.core, self._step
        self._turn += 1
        working, path, turn = session.working, session.path, self._turn

        def job(_tell: object, _stop: object) -> None:
            with self._writing:
                if turn == self._turn:  # else something newer was kept, or saved, meanwhile
                    core.save_draft(working, path, step)

        if session.touched:
            self._app.jobs.start("draft", job)

    def draft_at_once(self) -> Path | None:
        """Keep a draft before leaving; whose it is, or None when there is nothing to keep, or it cannot be:
        ``trouble`` says why then."""
        session = self._app.session
        self.trouble = ""
        if not session.touched:
            return None
        here = self._app.step_screen
        step = here.STEP if here else self._step
        self._turn += 1
        try:
            with self._writing:
                return self._app.core.save_draft(session.working, session.path, step).target
        except OzError as error:
            self.trouble = str(error)
            return None

    # --- what the jobs say ----------------------------------------------------------------------------
    def heard(self, news: object) -> None:
        """How a job ended."""
        match news:
            case Finished(job="open", result=(Opened() as opened, Judged() as judged)):
                self._opened(opened, judged)
            case Finished(job="begin", result=Path() as path):
                self._app.session.begin(path)
                self._app.start_over(STEPS[1].id)
            case Finished(job="save", result=Occupied(path=path)):
                self._ask_to_replace(path)
            case Finished(job="save", result=Kept() as kept):
                self._kept(kept)
            case Failed(message=message, hint=hint):
                self._say(f"error: {message}. {hint}", bad=True)

    def _kept(self, kept: Kept) -> None:
        session = self._app.session
        session.keep(kept)
        self._say(f"Saved to {kept.path}.")
        if self._app.step_screen is not None:
            self._app.step_screen.follow()
        then, self._then = self._then, None
        if then is not None:
            then()

    def _say(self, text: str, *, bad: bool = False) -> None:
        if self._app.step_screen is not None:
            self._app.step_screen.say(text, "-bad" if bad else "-good")
