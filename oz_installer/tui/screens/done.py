"""What runs where, and what to do next."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from oz_installer.formatting.row import Row
from oz_installer.formatting.summary import summary_text
from oz_installer.tui.controllers.install_jobs import read_status
from oz_installer.tui.core import Installed, JobFailed, JobFinished, Validation
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.views.rows import failure_rows
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.row_list import RowList
from oz_installer.tui.widgets.static_text import LiveText

if TYPE_CHECKING:
    from pathlib import Path

    from oz_installer.answers.drafts.working_copy import WorkingCopy

HEADS = frozenset({"URLs", "Credentials", "Next", "Report", "Commands"})
MORE = (
    ("status", "what runs where, and how it is"),
    ("logs SERVICE", "its last log lines"),
    ("check", "the preflight; check --fix mends what can be mended"),
    ("plan", "what would change"),
)
NO_FILE = "Save the answers first (^S): the command needs their file."


class DoneScreen(StepScreen):
    """The closing table, and the command that repeats it."""

    STEP: ClassVar[str] = "done"
    BINDINGS: ClassVar[list[BindingType]] = [("pageup", "pages(-1)"), ("pagedown", "pages(1)")]

    def __init__(self) -> None:
        super().__init__()
        self._failure: JobFailed | None = None

    def body(self) -> ComposeResult:
        """Command, buttons, table."""
        yield Static("Repeat, repair or upgrade it without the wizard:", markup=False)
        yield LiveText(id="command")
        yield RowList(id="runs")
        with Horizontal(classes="actions"):
            yield FlatButton("Copy the command", id="copy")
            yield FlatButton("Look at the nodes now", id="look")

    def on_screen_resume(self) -> None:
        """Who came to manage an installation wants to see it."""
        super().on_screen_resume()
        if self.wizard.session.opened_to_manage:
            self.wizard.session.opened_to_manage = False
            self.call_after_refresh(self._look)

    def on_resize(self) -> None:
        """The table has the width of the screen."""
        self.call_after_refresh(self.follow)

    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Another file, another installation."""
        session = self.wizard.session
        self.query_one("#command", LiveText).set_text(command(session.path) if session.is_file else NO_FILE)
        self.query_one("#copy", FlatButton).disabled = not session.is_file
        width = max(self.query_one("#runs").size.width - 1, 60)
        self.query_one("#runs", RowList).show(self._rows(session.installed, width))
        self.query_one("#look", FlatButton).disabled = self.jobs.running("look") or not session.is_file

    def _rows(self, installed: Installed | None, width: int) -> tuple[Row, ...]:
        if self.jobs.running("look"):
            return (("Connecting to the nodes ...", "muted"),)
        if self._failure is not None:
            failed = self._failure
            return failure_rows(failed.message, failed.hint, failed.details, width)
        if installed is None:
            return (
                ("Nothing was installed yet in this session.", ""),
                ("«Look at the nodes now» shows what runs there.", "muted"),
            )
        if installed.summary is None:
            said = f"Everything is installed, but it could not be looked at: {installed.trouble}"
            return failure_rows(said, "«Look at the nodes now» tries again.", "", width)
        changes = f"What these answers would change: {installed.changes}\n\n" if installed.changes else ""
        summary = summary_text(installed.summary, width, table_last=True)
        text = f"{checked_at_text(installed)}{changes}{summary}\n\n{commands(installed.path)}"
        return tuple((line, look_of(line)) for line in text.splitlines())

    def action_pages(self, by: int) -> None:
        """The page scrolls wherever the cursor stands."""
        self.query_one("#runs", RowList).action_pages(by)

    @on(FlatButton.Pressed, "#copy")
    def _copy_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.app.copy_to_clipboard(command(self.wizard.session.path))
        self.say("Sent to the clipboard of the terminal, if that allows it.", "-good")

    @on(FlatButton.Pressed, "#look")
    def _look_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self._look()

    def _look(self) -> None:
        if self.refused():
            return
        core, path = self.core, self.wizard.session.path
        self._failure = None
        self.start("look", lambda _tell, stop: read_status(core, path, stop))
        self.follow()

    def heard(self, news: object) -> None:
        """What runs there now, or why that is not known."""
        match news:
            case JobFinished(job="look", result=Installed() as installed):
                self.wizard.session.installed = installed
                self.say(checked_at_text(installed).strip(), "-good")
            case JobFailed(job="look") as failed:
                self.wizard.asking.forget()
                self._failure = failed
        self.follow()


def checked_at_text(installed: Installed) -> str:
    """When the nodes were looked at, by the clock here; empty where nobody did since the installation."""
    at = installed.at
    return f"Looked at the nodes at {time.strftime('%H:%M:%S', time.localtime(at))}.\n\n" if at else ""


def command(path: Path) -> str:
    """What repeats this unattended."""
    return f"oz-install --answers {shlex.quote(str(path))}"


def commands(path: Path) -> str:
    """What else can be done with it without the wizard."""
    rows = [f"  {name:<13} {about}" for name, about in MORE]
    return "\n".join(["Commands", f"  oz-install COMMAND --answers {shlex.quote(str(path))}", *rows])


def look_of(line: str) -> str:
    if line.startswith("NODE") or line in HEADS:
        return "strong"
    return "bad" if "  ! " in line or "(!)" in line else ""
