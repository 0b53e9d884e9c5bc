"""Saving the answers: one save after the other, each with what is to follow it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from oz_installer.errors import OzError
from oz_installer.tui.core import AnswersSaved, JobFailed, JobFinished, SaveConflict

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.core import Core
    from oz_installer.tui.wizard_protocol import WizardHost


PATIENCE = 5.0
"""Who leaves, or has saved, does not wait longer for the disk of drafts, in seconds."""


@dataclass(frozen=True, kw_only=True)
class SaveRequest:
    """A save that was asked for: of which ``session``, where to, what. ``then`` follows once it is done;
    ``declined`` is a draft that is out of date with it."""

    session: object
    working: WorkingCopy = field(repr=False)
    path: Path
    source: str | None = field(repr=False)
    opened: Path
    own: bool
    replace: bool = False
    declined: SavedDraft | None = None
    then: Callable[[], None] | None = None


class SaveQueue:
    """What the app does to save answers, in jobs."""

    def __init__(self, app: WizardHost) -> None:
        self._app = app
        self._writing = Lock()
        self._turns: dict[Path, int] = {}
        self._numbers = count(1)
        self._drafted = False
        """Whether there is a draft of what was edited since the answers were opened or saved."""
        self._now: SaveRequest | None = None
        self._next: list[SaveRequest] = []

    @property
    def all_saved(self) -> bool:
        """Whether the answers file says what is on the screen."""
        return self._app.session.is_file and not self._app.session.has_unsaved_changes and not self._at_work

    @property
    def writing(self) -> Path | None:
        """The answers file that is being written just now."""
        return self._now.path if self._now is not None else None

    @property
    def writes_all(self) -> bool:
        """Whether what is being written is what is on the screen."""
        session, now = self._app.session, self._now
        return now is not None and now.session is session.identity and now.working == session.working

    @property
    def _at_work(self) -> bool:
        """Whether something is being written, or waits for it."""
        return self._now is not None or bool(self._next)

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Write the answers; ask where, the first time. ``then`` is called once they are written."""
        if self._app.session.is_file:
            self.save_as(self._app.session.path, then=then)
        else:
            self._ask_where(then)

    def save_elsewhere(self) -> None:
        """Ask where, and write the answers there."""
        self._ask_where(None)

    def _ask_where(self, then: Callable[[], None] | None) -> None:
        from oz_installer.tui.dialogs.save import SaveDialog

        dialog = SaveDialog(self._app.session.path)
        self._app.push_screen(dialog, lambda path: self.save_as(path, then=then) if path else None)

    def save_as(self, path: Path, *, then: Callable[[], None] | None = None) -> None:
        """Write the answers there, after what is being written. Another file than the opened one, or one that
        somebody has changed meanwhile, is replaced only when that was asked."""
        session = self._app.session
        self._queue(
            SaveRequest(
                session=session.identity,
                working=session.working,
                path=path,
                source=session.source,
                opened=session.path,
                own=session.is_file and path == session.path,
                declined=session.declined,
                then=then,
            )
        )

    def _queue(self, save: SaveRequest) -> None:
        self._next.append(save)
        if self._now is None:
            self._start_next()

    def _start_next(self) -> None:
        if not self._next:
            self._now = None
            self.all_written()
            return
        save, session = self._next.pop(0), self._app.session
        if save.session is session.identity:  # what was typed since is saved with it, where they are by now
            path = session.path if save.own and not save.replace else save.path
            own = save.own or (session.is_file and path == session.path)
            save = replace(save, path=path, own=own, opened=session.path)
            save = replace(save, working=session.working, source=session.source)
        self._now = save
        core = self._app.core

        def job(_tell: object, _stop: object) -> AnswersSaved | SaveConflict:
            if not save.replace and core.exists(save.path):
                if not save.own:
                    return SaveConflict(path=save.path)
                if save.source is not None and _text(core, save.path) != save.source:
                    return SaveConflict(path=save.path, changed=True)
            kept = core.save_answers(save.working, save.path, save.source, save.opened)
            for done in {save.path, save.opened}:
                self._next_turn(done)
            if self._writing.acquire(timeout=PATIENCE):  # a draft may hang on a dead disk
                try:
                    for done in {save.path, save.opened}:  # what was typed stands in the file now
                        core.delete_own_draft(done)
                    _forget_declined(core, save)
                finally:
                    self._writing.release()
            source = core.read(save.path)[1]
            return AnswersSaved(working=kept, written=save.working, path=save.path, source=source)

        self._app.jobs.start("save", job)

    def saved(self, news: JobFinished | JobFailed) -> None:
        """How the save that was at work has ended."""
        match news, self._now:
            case JobFinished(result=SaveConflict(changed=changed)), SaveRequest() as save:
                self._ask_to_replace(save, changed=changed)
            case JobFinished(result=AnswersSaved() as kept), SaveRequest() as save:
                self._kept(kept, save)
        self._start_next()

    def _ask_to_replace(self, save: SaveRequest, *, changed: bool) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        said = "was changed by somebody else since it was opened" if changed else "is there already"
        kept = f"What it says now is kept beside it, as {save.path.name}.old."
        dialog = Confirm(f"{save.path} {said}. Replace it? {kept}", yes="Replace it", no="Keep it")
        again = replace(save, replace=True)
        self._app.push_screen(dialog, lambda sure: self._queue(again) if sure else None)

    def _kept(self, kept: AnswersSaved, save: SaveRequest) -> None:
        session = self._app.session
        self._say(f"Saved to {kept.path}.")
        if save.session is not session.identity:
            return  # other answers are open by now
        session.keep(kept)
        self._app.judge()
        self.draft_now()  # of what was typed while it was written; or away with one that came in between
        if self._app.step_screen is not None:
            self._app.step_screen.follow()
        if save.then is not None and not self.being_left:
            save.then()

    def draft_now(self, step_id: str | None = None) -> None:
        """Keep a draft in the background."""
        raise NotImplementedError

    @property
    def being_left(self) -> bool:
        """Whether the wizard ends once all is written: nothing begins any more."""
        raise NotImplementedError

    def all_written(self) -> None:
        """No save is at work or waits any more."""
        raise NotImplementedError

    def _next_turn(self, path: Path) -> int:
        """The number of what is written last of these answers; what has an older one is out of date."""
        self._turns[path] = next(self._numbers)  # of threads, too: no two are the same
        return self._turns[path]

    def _say(self, text: str, *, bad: bool = False) -> None:
        if self._app.step_screen is not None:
            self._app.step_screen.say(text, "-bad" if bad else "-good")


def _forget_declined(core: Core, save: SaveRequest) -> None:
    """The operator wanted the file without this draft, and has saved it: nobody is asked again."""
    if save.declined is not None and save.declined.target == save.path:
        with suppress(OzError):  # another wizard is at work on it, or has been
            core.delete_draft(save.declined)


def _text(core: Core, path: Path) -> str | None:
    """The file as it stands now; None where it cannot be read as answers any more."""
    try:
        return core.read(path)[1]
    except OzError:
        return None
