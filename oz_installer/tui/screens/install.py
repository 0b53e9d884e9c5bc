"""The install step: runs the installation, with progress per node, a log, and a clean stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event as Stop
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.timer import Timer

from oz_installer.formatting.row import Row
from oz_installer.text import join_and, plural
from oz_installer.tui.controllers.install_jobs import JobStage, install
from oz_installer.tui.jobs import HELD
from oz_installer.tui.messages import Installed, JobFailed, JobFinished
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.timer import OneShotTimer
from oz_installer.tui.views.event_feed import EventFeed, FeedReady
from oz_installer.tui.views.rows import failure_rows
from oz_installer.tui.views.run_progress import RunProgress
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.row_list import RowList
from oz_installer.tui.widgets.static_text import LiveText
from oz_installer.tui.wizard_protocol import ExitGuard

if TYPE_CHECKING:
    from oz_installer.checks.context import Finding
    from oz_installer.tui.session import Session

STOP_QUESTION = (
    "An installation is running. Stop it? Its changes so far are rolled back; "
    "a later run skips what is already in place."
)
BEFORE = (
    "«Install» saves the answers, connects to every node",
    "and installs Oz, phase by phase. You can stop it at any",
    "time: its changes are then rolled back.",
)
NOT_CHECKED = (
    "The checks have not been run for these answers: they run first, and nothing is changed if one fails "
    "or warns of something that is not accepted."
)
MOST_NAMES = 8
"""Most nodes that are named in a question, and most losses."""

REMOVAL = "removal"
"""The check whose warnings are named in the question: what a running installation loses."""

TICK = 0.5
"""Seconds between two updates of the clocks."""


class InstallScreen(StepScreen):
    """Overall progress, progress per node, a log, and one button to install or stop."""

    STEP: ClassVar[str] = "install"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.clock = clock
        self.view = RunProgress()
        self._stop = Stop()
        self._feed = EventFeed()
        self._tick: Timer | None = None
        self._stage = ""
        self._outcome: tuple[Row, ...] = ()
        self._failure: JobFailed | None = None

    def body(self) -> ComposeResult:
        """Compose overall progress, nodes, outcome, log and button."""
        yield LiveText(id="overall")
        yield RowList(pick=True, id="lanes")
        yield RowList(id="outcome")
        yield LiveText(id="log-title")
        yield RowList(tail=True, id="log")
        with Horizontal(classes="actions"):
            yield FlatButton("Install", id="run", primary=True)

    def on_mount(self) -> None:
        """Focus the Install button."""
        self.query_one("#outcome", RowList).show([(line, "muted") for line in BEFORE])
        self.query_one("#run").focus()
        self._paint()

    @property
    def running(self) -> bool:
        """True while an installation is running."""
        return self.jobs.running(HELD)

    # --- begin and stop -------------------------------------------------------------------------------
    @on(FlatButton.Pressed, "#run")
    def _run_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        if self.running:
            self._ask_to_stop()
        else:
            self._ask_to_begin()

    def _ask_to_begin(self) -> None:
        """Ask before starting: an installation changes servers."""
        from oz_installer.tui.dialogs.confirm import Confirm

        asked = Confirm(begin_question(self.wizard.session), yes="Install", no="Not yet")
        self.app.push_screen(asked, lambda sure: self._save_and_begin() if sure else None)

    def _save_and_begin(self) -> None:
        if self.wizard.saves.all_saved:
            self._begin()
        else:
            self.wizard.saves.save(self._begin)

    def _begin(self) -> None:
        if self.running:
            return
        core, session, feed = self.core, self.wizard.session, EventFeed()
        path, checked, accepted = session.path, session.ready, session.accepted
        self.view, self._failure, self._stage = RunProgress(), None, "Starting ..."
        self.query_one("#outcome", RowList).show(())

        def job(post: Callable[[object], None], stop: Stop) -> Installed:
            feed.wake = post
            return install(core, path, post, feed.put, stop, checked=checked, accepted=accepted)

        self._feed = feed
        self._stop = self.start(HELD, job)
        self.wizard.leaving.hold(ExitGuard(question=STOP_QUESTION, stop=self._stop_now))
        self._tick = self.set_interval(TICK, self._paint)
        self.show_status("Installing. Ctrl+Q and Stop ask before they interrupt it.")
        self._paint()

    def _ask_to_stop(self) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        asked = Confirm(STOP_QUESTION, yes="Stop it", no="Keep running")
        self.app.push_screen(asked, lambda sure: self._stop_now() if sure else None)

    def _stop_now(self) -> None:
        if not self.running:
            return
        self._stop.set()
        self.wizard.asking.cancel_pending()
        self.view.undoing = True
        self.show_status("Stopping: this run's changes are rolled back. This can take a while.", "-warning")
        self._paint()

    # --- reports of the job ---------------------------------------------------------------------------
    def receive(self, report: object) -> None:
        """Handle the end of the run, and the signal that events wait in the feed."""
        match report:
            case FeedReady():
                OneShotTimer(self, self._feed.delay(), self._take)
            case JobStage(text=text):
                self._stage = text
                self._paint()
            case JobFinished(job="install", result=Installed() as installed):
                self._take_all()
                self.wizard.session.installed = installed
                self._ended()
                self.show_status("Installed. Next shows the status.", "-good")
                self.query_one("#next").focus()
            case JobFailed(job="install") as failed:
                self._take_all()
                self._failure = failed
                self.wizard.asking.forget()
                self._ended()
                self.show_status("! Not installed: the error and what to do next are shown above.", "-bad")
                self.query_one("#run").focus()

    def _take(self) -> None:
        events, more = self._feed.take()
        self.view.apply(events)
        self._paint()
        if more:
            OneShotTimer(self, 0.02, self._take)

    def _take_all(self) -> None:
        more = True
        while more:
            events, more = self._feed.take()
            self.view.apply(events)

    def _ended(self) -> None:
        if self._tick is not None:
            self._tick.stop()
            self._tick = None
        self._stage = ""
        self._paint()
        self.wizard.leaving.release()

    # --- what is shown --------------------------------------------------------------------------------
    def on_resize(self) -> None:
        """Draw the rows at the new width."""
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        if not self.is_mounted:
            return
        width, now, view = self.query_one("#overall").size.width, self.clock(), self.view
        self.query_one("#overall", LiveText).set_text(self._head(now, width))
        lanes = self.query_one("#lanes", RowList)
        lanes.show(view.lanes(now, max(width - 3, 40)))
        lanes.display = bool(view.nodes)
        outcome = self.query_one("#outcome", RowList)
        if self._failure is not None:
            failed = self._failure
            outcome.show(failure_rows(failed.message, failed.hint, failed.details, width - 1))
        outcome.display = bool(outcome.rows)
        self._paint_log()
        button = self.query_one("#run", FlatButton)
        stopping = self.running and self._stop.is_set()
        words = "Stop" if self.running else "Try again" if self._failure else "Install"
        button.relabel("Stopping ..." if stopping else words)
        button.disabled = stopping

    def _head(self, now: float, width: int) -> str:
        if self.view.board.began is None:
            return self._stage if self.running else ""
        if self.view.undoing and self.running:
            return f"Stopping.  {self.view.head(now, max(width - 11, 40))}"
        return self.view.head(now, width)

    def _paint_log(self) -> None:
        view, title = self.view, self.query_one("#log-title", LiveText)
        index = self.query_one("#lanes", RowList).cursor
        title.display = self.query_one("#log").display = bool(view.nodes)
        if view.nodes:
            node = view.nodes[min(index, len(view.nodes) - 1)]
            title.set_text(f"Log of {node}")
            self.query_one("#log", RowList).show(view.log(node))

    @on(RowList.Moved, "#lanes")
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._paint_log()


def begin_question(session: Session) -> str:
    """Return the question before an installation: its nodes, and how the checks went."""
    working = session.working
    names = [str(working.get(f"nodes[{index}].name") or index + 1) for index in range(working.nodes())]
    taken = [f"\n! {_at(one)}{one.seen}" for one in session.preflight_warnings if one.check == REMOVAL]
    lost = "".join(taken[:MOST_NAMES]) if session.ready else ""
    return f"Install Oz on {join_and(names, MOST_NAMES) or 'no node'}? {_checks_text(session)}{lost}"


def _at(finding: Finding) -> str:
    return f"{finding.node}: " if finding.node else ""


def _checks_text(session: Session) -> str:
    if not session.ready:
        return NOT_CHECKED
    ignored = len(session.open_warnings)
    despite = f" {plural(ignored, 'warning')} {'is' if ignored == 1 else 'are'} not accepted."
    return f"The checks found no failure.{despite if ignored else ''}"
