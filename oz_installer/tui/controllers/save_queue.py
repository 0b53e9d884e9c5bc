"""Saving the answers: a queue of saves, each with its continuation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.errors import OzError
from oz_installer.tui.controllers.status import show_status
from oz_installer.tui.messages import AnswersSaved, JobFailed, JobFinished, SaveConflict

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.controllers.write_order import WriteOrder
    from oz_installer.tui.core import AnswersApi
    from oz_installer.tui.wizard_protocol import WizardHost


PATIENCE = 5.0
"""Seconds that a save or the exit waits for the disk of the drafts."""


@dataclass(frozen=True, kw_only=True)
class SaveRequest:
    """A requested save of a ``session``'s answers.

    ``then`` is called after it; ``declined`` is a draft that becomes obsolete with it.
    """

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
    """Saves answers in jobs, one after the other."""

    def __init__(self, app: WizardHost, order: WriteOrder) -> None:
        self._app = app
        self._order = order
        self._now: SaveRequest | None = None
        self._next: list[SaveRequest] = []

    @property
    def all_saved(self) -> bool:
        """True while the answers file equals the current answers."""
        return self._app.session.is_file and not self._app.session.has_unsaved_changes and not self.busy

    @property
    def writing(self) -> Path | None:
        """The answers file that is being written."""
        return self._now.path if self._now is not None else None

    @property
    def writes_all(self) -> bool:
        """True while the current answers are being written."""
        session, now = self._app.session, self._now
        return now is not None and now.session is session.identity and now.working == session.working

    @property
    def busy(self) -> bool:
        """True while a save is running or queued."""
        return self._now is not None or bool(self._next)

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Write the answers, ask for the path the first time, then call ``then``."""
        if self._app.session.is_file:
            self.save_as(self._app.session.path, then=then)
        else:
            self._ask_where(then)

    def save_elsewhere(self) -> None:
        """Ask for another path and write the answers there."""
        self._ask_where(None)

    def _ask_where(self, then: Callable[[], None] | None) -> None:
        from oz_installer.tui.dialogs.save import SaveDialog

        dialog = SaveDialog(self._app.session.path)
        self._app.push_screen(dialog, lambda path: self.save_as(path, then=then) if path else None)

    def save_as(self, path: Path, *, then: Callable[[], None] | None = None) -> None:
        """Queue a save to ``path``.

        Ask before replacing a file that is not the opened one, or that was changed by someone else.
        """
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
            self.start_next()

    def start_next(self) -> None:
        """Start the next save, if any, after the running one was taken by ``finish``."""
        if not self._next:
            self._now = None
            return
        save, session = self._next.pop(0), self._app.session
        if save.session is session.identity:  # include later edits, and use the current path
            path = session.path if save.own and not save.replace else save.path
            own = save.own or (session.is_file and path == session.path)
            save = replace(save, path=path, own=own, opened=session.path)
            save = replace(save, working=session.working, source=session.source)
        self._now = save
        core, order = self._app.core, self._order

        def job(_post: object, _stop: object) -> AnswersSaved | SaveConflict:
            if not save.replace and core.exists(save.path):
                if not save.own:
                    return SaveConflict(path=save.path)
                if save.source is not None and _text(core, save.path) != save.source:
                    return SaveConflict(path=save.path, changed=True)
            kept = core.save_answers(save.working, save.path, save.source, save.opened)
            for done in {save.path, save.opened}:
                order.next_turn(done)
            if order.lock.acquire(timeout=PATIENCE):  # the drafts may be on a dead disk
                try:
                    for done in {save.path, save.opened}:  # the file has all input now
                        core.delete_own_draft(done)
                    _forget_declined(core, save)
                finally:
                    order.lock.release()
            source = core.read(save.path)[1]
            return AnswersSaved(working=kept, written=save.working, path=save.path, source=source)

        self._app.jobs.start("save", job)

    def finish(self, report: JobFinished | JobFailed) -> SaveRequest | None:
        """Handle the result of the running save; ``start_next`` follows.

        Return the save if the open answers were saved by it.
        """
        match report, self._now:
            case JobFinished(result=SaveConflict(changed=changed)), SaveRequest() as save:
                self._ask_to_replace(save, changed=changed)
            case JobFinished(result=AnswersSaved() as saved), SaveRequest() as save:
                show_status(self._app, f"Saved to {saved.path}.")
                if save.session is self._app.session.identity:  # else other answers are open now
                    self._app.session.keep(saved)
                    return save
        return None

    def _ask_to_replace(self, save: SaveRequest, *, changed: bool) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        state = "was changed by someone else after you opened it" if changed else "already exists"
        backup = f"Its current content is kept as {save.path.name}.old."
        dialog = Confirm(f"{save.path} {state}. Replace it? {backup}", yes="Replace it", no="Keep it")
        again = replace(save, replace=True)
        self._app.push_screen(dialog, lambda sure: self._queue(again) if sure else None)


def _forget_declined(core: AnswersApi, save: SaveRequest) -> None:
    """Delete the declined draft after a save, so that the question does not come again."""
    if save.declined is not None and save.declined.target == save.path:
        with suppress(OzError):  # another wizard is or was editing it
            core.delete_draft(save.declined)


def _text(core: AnswersApi, path: Path) -> str | None:
    """Return the current text of the file; None when it is not readable as answers."""
    try:
        return core.read(path)[1]
    except OzError:
        return None
