"""What all steps share: the frame, navigation, background work, and fields that follow the answers.

A step writes ``body()``; it may write ``changed()`` (the answers are others now) and ``heard()`` (a worker of
its own told something). See ``app.py`` for what a screen may call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event as Stop
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from oz_installer.tui.internals.chunked_screen import ChunkedScreen
from oz_installer.tui.jobs import Job, JobMessage, Jobs
from oz_installer.tui.steps import STEPS, number, step
from oz_installer.tui.widgets.answer_widget import AnswerWidget, Notice, question_at
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.frame import KeyHints, SideBar, StatusLine, StepTitle, Tone, TopBar

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.core import Core, Validation
    from oz_installer.tui.wizard_protocol import Wizard


class StepScreen(ChunkedScreen[None]):
    """The frame of one step."""

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

    # --- what a step writes ---------------------------------------------------------------------------
    def body(self) -> ComposeResult:
        """The widgets of the step."""
        yield from ()

    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:
        """The answers were edited, judged, or the step is shown again: let what is shown follow.

        ``judged`` is None until these very answers were judged. Forms have followed already.
        """

    def heard(self, news: object) -> None:
        """A worker of this screen told something, or ended (``Finished``, ``Failed``)."""

    # --- what a step may call -------------------------------------------------------------------------
    @property
    def wizard(self) -> Wizard:
        """The app."""
        return cast("Wizard", self.app)

    @property
    def working(self) -> WorkingCopy:
        """The answers now."""
        return self.wizard.session.working

    @property
    def core(self) -> Core:
        """The only door to the rest."""
        return self.wizard.core

    def say(self, text: str, tone: Tone = "") -> None:
        """Write one line above the keys; of a step that is being opened, as soon as there is that line."""
        if self.is_mounted:
            self.query_one(StatusLine).say(text, tone)
        else:
            self.call_later(self.say, text, tone)

    def refused(self) -> bool:
        """Whether the nodes belong to an installation that is at work: no other job runs there meanwhile."""
        if self.wizard.leaving.held:
            self.say(
                "! An installation is at work; wait for its end, or stop it in the step Install.", "-bad"
            )
        return self.wizard.leaving.held

    def start(self, name: str, job: Job) -> Stop:
        """Run ``job(tell, stop)`` in a thread; ``tell(news)`` and how it ends reach ``heard``."""
        return self.jobs.start(name, job)

    def once_saved(self, then: Callable[[], None], what: str) -> None:
        """Call ``then`` once the file says what is on the screen; ask before a file of the operator's is
        changed for the sake of ``what``, which only looks."""
        files, session = self.wizard.files, self.wizard.session
        if files.all_saved:
            then()
        elif not session.is_file:
            files.save(then)
        else:
            from oz_installer.tui.dialogs.confirm import Confirm

            question = f"{what} reads {session.path}, which lacks your last changes. Save it first?"
            asked = Confirm(question, yes="Save it", no="Not yet")
            self.app.push_screen(asked, lambda sure: files.save(then) if sure else None)

    # --- the frame ------------------------------------------------------------------------------------
    def compose(self) -> ComposeResult:
        """Bar, steps, body, status, keys."""
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
            place = number(self.STEP)
            if place > 0:
                yield FlatButton("Back", id="back", key="^B")
            if place + 1 < len(STEPS):
                yield FlatButton("Next", id="next", key="^N", primary=True)
            yield KeyHints(id="keys", markup=False)

    def on_screen_resume(self) -> None:
        """Shown again: follow the answers, which other steps may have changed; what waited for a dialog goes
        on, behind what the dialog was answered."""
        self.call_later(self.follow)
        self.call_later(self.wizard.files.go_on)
        self.call_after_refresh(self.wizard.collect)

    def on_unmount(self) -> None:
        """Nothing works on for a screen that is gone."""
        self.jobs.stop_all()

    def on_resize(self) -> None:
        """The frame is drawn to the width."""
        self.call_after_refresh(self.show_frame)

    def follow_soon(self) -> None:
        """As soon as what was edited is on the screen: it does not wait for what follows from it."""
        if not self._follows:
            self._follows = True
            self.call_later(self._follow_then)

    async def _follow_then(self) -> None:
        await asyncio.sleep(0)  # the widget itself asks to be painted, first
        self.call_after_refresh(self.catch_up)

    def catch_up(self) -> None:
        """Follow now, where that is still to be done."""
        if self._follows:
            self.follow()

    def follow(self) -> None:
        """Let the frame and every form show the answers as they are now."""
        session = self.wizard.session
        judged = session.judged if session.judged and session.judged.working is session.working else None
        self._follows = False
        if not self.is_mounted:
            return
        self.show_frame()
        if self.STEP in session.visited and not self._blamed:
            self._blamed = True
            self._blame()
        for shown in self.walk_children(AnswerWidget):
            shown.follow(session.working, judged)
        self.changed(session.working, judged)
        if self._sought and judged is not None and judged is not self._judged_then:
            self._tell_why_not()

    def _blame(self) -> None:
        """What the step's number counts is marked."""
        for shown in self.walk_children(AnswerWidget):
            shown.blame()

    def _tell_why_not(self) -> None:
        key, self._sought = self._sought, ""
        for shown in self.walk_children(AnswerWidget):
            if why := shown.why_not(key):
                self.say(f"! {why}.", "-warning")
                return

    def show_frame(self) -> None:
        """The bars."""
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
        """A field was edited."""
        self.wizard.edit(change(self.working), soon=True)

    def keys(self) -> tuple[str, ...]:
        """The questions that are asked here."""
        return tuple(key for shown in self.walk_children(AnswerWidget) for key in shown.keys)

    def focus_key(self, key: str) -> None:
        """Put the cursor on the field of a question; once that is known, say why when it cannot be there."""
        self._sought, self._judged_then = key, self.wizard.session.judged
        for shown in self.walk_children(AnswerWidget):
            if shown.take_focus(key):
                break
        self.wizard.judge()  # only that tells what is barred here

    def focused_key(self) -> str | None:
        """The question whose field has the cursor."""
        return question_at(self.focused)

    def action_next(self) -> None:
        """On to the next step."""
        place = number(self.STEP)
        if place + 1 < len(STEPS):
            self.wizard.go(STEPS[place + 1].id)

    def action_back(self) -> None:
        """Back to the step before."""
        place = number(self.STEP)
        if place > 0:
            self.wizard.go(STEPS[place - 1].id)

    @on(Notice)
    def _said(self, message: Notice) -> None:
        message.stop()
        self.say(message.words, "-warning")

    @on(FlatButton.Pressed, "#next")
    def _next_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_next()

    @on(FlatButton.Pressed, "#back")
    def _back_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_back()

    @on(JobMessage)
    def _told(self, message: JobMessage) -> None:
        news = self.jobs.news(message)
        if news is not None:
            self.heard(news)
