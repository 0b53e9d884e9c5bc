"""Base class of steps: frame, navigation, background jobs, fields that follow the answers.

A step defines ``body()``, and may define ``changed()`` (the answers have changed) and ``receive()`` (one of
its jobs has reported). ``wizard_protocol.py`` lists what a screen may call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event as Stop
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from oz_installer.tui.internals.chunked_screen import ChunkedScreen
from oz_installer.tui.jobs import Job, JobMessage, Jobs
from oz_installer.tui.steps import STEPS, number, step
from oz_installer.tui.views.styled_rows import Tone
from oz_installer.tui.widgets.answer_widget import AnswerWidget, Notice, question_at
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.frame import KeyHints, SideBar, StatusLine, StepTitle, TopBar

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.core import Core
    from oz_installer.tui.messages import Validation
    from oz_installer.tui.wizard_protocol import Wizard


T = TypeVar("T")


class StepScreen(ChunkedScreen[None]):
    """One step in its frame."""

    STEP: ClassVar[str]
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+n", "next"), ("ctrl+b", "back")]
    AUTO_FOCUS = "#body *"

    def __init__(self) -> None:
        super().__init__()
        self.jobs = Jobs(self)
        self._sought = ""
        self._judged_then: Validation | None = None
        self._blamed = False
        self._follows = False

    # --- for a step to define -------------------------------------------------------------------------
    def body(self) -> ComposeResult:
        """Compose the widgets of the step."""
        yield from ()

    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Refresh after the answers were edited or validated, or the step was shown again.

        ``judged`` is None until exactly these answers are validated. Forms are refreshed already.
        """

    def receive(self, report: object) -> None:
        """Handle a report of one of this screen's jobs, or its end (``JobFinished``, ``JobFailed``)."""

    # --- for a step to call ---------------------------------------------------------------------------
    @property
    def wizard(self) -> Wizard:
        """The app."""
        return cast("Wizard", self.app)

    @property
    def working(self) -> WorkingCopy:
        """The current answers."""
        return self.wizard.session.working

    @property
    def core(self) -> Core:
        """The only access to everything below the wizard."""
        return self.wizard.core

    def open_dialog(self, dialog: ModalScreen[T], answered: Callable[[T | None], None]) -> None:
        """Show a dialog over the step; ``answered`` is called with its result."""
        self.app.push_screen(dialog, answered)

    def show_status(self, text: str, tone: Tone = "") -> None:
        """Show a text in the status line; while the step is being opened, once that line exists."""
        if self.is_mounted:
            self.query_one(StatusLine).show(text, tone)
        else:
            self.call_later(self.show_status, text, tone)

    def refused(self) -> bool:
        """Return whether an installation is running, during which no other job may use the nodes."""
        if self.wizard.leaving.held:
            self.show_status(
                "! An installation is running: wait until it ends, or stop it in step Install.", "-bad"
            )
        return self.wizard.leaving.held

    def start(self, name: str, job: Job) -> Stop:
        """Run ``job(post, stop)`` in a thread; its reports and its end reach ``receive``."""
        return self.jobs.start(name, job)

    def from_memory(self, then: Callable[[], None]) -> None:
        """Call ``then``, which only reads: with unsaved answers, too.

        Save first where another installation has the file's name: its passwords lie beside it."""
        saves, session = self.wizard.saves, self.wizard.session
        if saves.all_saved or session.is_file or not self.core.exists(session.path):
            then()
        else:
            saves.save(then)

    def unsaved(self) -> WorkingCopy | None:
        """Return the answers if the file does not hold them; None if it does."""
        return None if self.wizard.saves.all_saved else self.working

    # --- the frame ------------------------------------------------------------------------------------
    def compose(self) -> ComposeResult:
        """Compose top bar, side bar, body, status line and keys."""
        here = step(self.STEP)
        yield TopBar(id="top")
        with Horizontal(id="frame"):
            yield SideBar(id="side")
            with Vertical(id="page"):
                yield StepTitle(id="title")
                yield Static(here.intro, id="intro", markup=False)
                with VerticalScroll(id="body", can_focus=False):
                    yield from self.body()
        yield StatusLine(id="status", markup=False)
        with Horizontal(id="foot"):
            index = number(self.STEP)
            if index > 0:
                yield FlatButton("Back", id="back", key="^B")
            if index + 1 < len(STEPS):
                yield FlatButton("Next", id="next", key="^N", primary=True)
            yield KeyHints(id="keys", markup=False)

    def on_screen_resume(self) -> None:
        """Refresh from the answers, which other steps may have changed; resume pending saves.

        Both run after a dialog's answer is handled.
        """
        self.call_later(self.follow)
        self.call_later(self.wizard.files.resume)
        self.call_after_refresh(self.wizard.collect)

    def on_unmount(self) -> None:
        """Stop all jobs of this screen."""
        self.jobs.stop_all()

    def on_resize(self) -> None:
        """Draw the frame at the new width."""
        self.call_after_refresh(self.show_frame)

    def follow_soon(self) -> None:
        """Refresh after the next paint, so that the edit itself appears first."""
        if not self._follows:
            self._follows = True
            self.call_later(self._follow_then)

    async def _follow_then(self) -> None:
        await asyncio.sleep(0)  # the edited widget requests its paint first
        self.call_after_refresh(self.catch_up)

    def catch_up(self) -> None:
        """Refresh now if a refresh is due."""
        if self._follows:
            self.follow()

    def follow(self) -> None:
        """Refresh the frame and every form from the answers."""
        session = self.wizard.session
        judged = session.judged if session.judged and session.judged.working is session.working else None
        self._follows = False
        if not self.is_mounted:
            return
        self.show_frame()
        if self.STEP in session.visited and not self._blamed:
            self._blamed = True
            self._mark_missing()
        for shown in self.walk_children(AnswerWidget):
            shown.follow(session.working, judged)
        self.changed(session.working, judged)
        if self._sought and judged is not None and judged is not self._judged_then:
            self._tell_why_not()

    def _mark_missing(self) -> None:
        """Report missing answers in every form of the step."""
        for shown in self.walk_children(AnswerWidget):
            shown.mark_missing()

    def _tell_why_not(self) -> None:
        key, self._sought = self._sought, ""
        for shown in self.walk_children(AnswerWidget):
            if why := shown.why_not(key):
                self.show_status(f"! {why}.", "-warning")
                return

    def show_frame(self) -> None:
        """Update the bars."""
        session = self.wizard.session
        states = [session.state(one.id, self.STEP) for one in STEPS]
        side = self.query_one(SideBar)
        side.now, side.states = self.STEP, tuple(states)
        here = states[number(self.STEP)]
        elsewhere = sum(state.problems for state in states) - here.problems
        self.query_one(StepTitle).show(self.STEP, here, elsewhere)
        kept = "not saved" if session.has_unsaved_changes else "saved" if session.is_file else ""
        top = self.query_one(TopBar)
        top.target, top.kept = str(session.path), kept

    def edit_answers(self, change: Callable[[WorkingCopy], WorkingCopy]) -> None:
        """Apply an edit to the session's answers."""
        self.wizard.edit(change(self.working), soon=True)

    def keys(self) -> tuple[str, ...]:
        """Return the keys of the questions in this step."""
        return tuple(key for shown in self.walk_children(AnswerWidget) for key in shown.keys)

    def focus_key(self, key: str) -> None:
        """Focus the field of a question; if it cannot be focused, report why once that is known."""
        self._sought, self._judged_then = key, self.wizard.session.judged
        for shown in self.walk_children(AnswerWidget):
            if shown.take_focus(key):
                break
        self.wizard.judge()  # validation finds what is barred

    def focused_key(self) -> str | None:
        """Return the key of the focused question."""
        return question_at(self.focused)

    def action_next(self) -> None:
        """Go to the next step."""
        index = number(self.STEP)
        if index + 1 < len(STEPS):
            self.wizard.go(STEPS[index + 1].id)

    def action_back(self) -> None:
        """Go to the previous step."""
        index = number(self.STEP)
        if index > 0:
            self.wizard.go(STEPS[index - 1].id)

    @on(Notice)
    def _show_notice(self, message: Notice) -> None:
        message.stop()
        self.show_status(message.text, "-warning")

    @on(FlatButton.Pressed, "#next")
    def _next_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_next()

    @on(FlatButton.Pressed, "#back")
    def _back_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_back()

    @on(JobMessage)
    def _handle_job_message(self, message: JobMessage) -> None:
        report = self.jobs.report_of(message)
        if report is not None:
            self.receive(report)
