"""The last step: status of the installation and what to do next."""

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
from oz_installer.tui.messages import Installed, JobFailed, JobFinished, Validation
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
    ("status", "services of each node and their state"),
    ("logs SERVICE", "last log lines of a service"),
    ("check", "preflight; check --fix fixes what is safe to fix"),
    ("plan", "pending changes"),
)
NO_FILE = "Save the answers first (^S): the command reads that file."


class DoneScreen(StepScreen):
    """The summary table, and the command that repeats the installation."""

    STEP: ClassVar[str] = "done"
    BINDINGS: ClassVar[list[BindingType]] = [("pageup", "pages(-1)"), ("pagedown", "pages(1)")]

    def __init__(self) -> None:
        super().__init__()
        self._failure: JobFailed | None = None

    def body(self) -> ComposeResult:
        """Compose command, table and buttons."""
        yield Static("To repeat, repair or upgrade it without the wizard:", markup=False)
        yield LiveText(id="command")
        yield RowList(id="runs")
        with Horizontal(classes="actions"):
            yield FlatButton("Copy the command", id="copy")
            yield FlatButton("Read status", id="look")

    def on_screen_resume(self) -> None:
        """Read the status if the file was opened to manage an installation."""
        super().on_screen_resume()
        if self.wizard.session.opened_to_manage:
            self.wizard.session.opened_to_manage = False
            self.call_after_refresh(self._read_status)

    def on_resize(self) -> None:
        """Draw the table at the new width."""
        self.call_after_refresh(self.follow)

    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Show command and status of the current file."""
        session = self.wizard.session
        self.query_one("#command", LiveText).set_text(command(session.path) if session.is_file else NO_FILE)
        self.query_one("#copy", FlatButton).disabled = not session.is_file
        width = max(self.query_one("#runs").size.width - 1, 60)
        self.query_one("#runs", RowList).show(self._rows(session.installed, width))
        self.query_one("#look", FlatButton).disabled = self.jobs.running("status") or not session.is_file

    def _rows(self, installed: Installed | None, width: int) -> tuple[Row, ...]:
        if self.jobs.running("status"):
            return (("Connecting to the nodes ...", "muted"),)
        if self._failure is not None:
            failed = self._failure
            return failure_rows(failed.message, failed.hint, failed.details, width)
        if installed is None:
            return (
                ("Nothing has been installed in this session.", ""),
                ("«Read status» shows what runs on the nodes.", "muted"),
            )
        if installed.summary is None:
            message = f"Everything is installed; its status is unknown: {installed.trouble}"
            return failure_rows(message, "Press «Read status» to try again.", "", width)
        changes = f"Pending changes: {installed.changes}\n\n" if installed.changes else ""
        summary = summary_text(installed.summary, width, table_last=True)
        text = f"{checked_at_text(installed)}{changes}{summary}\n\n{commands(installed.path)}"
        return tuple((line, look_of(line)) for line in text.splitlines())

    def action_pages(self, by: int) -> None:
        """Scroll the table wherever the focus is."""
        self.query_one("#runs", RowList).action_pages(by)

    @on(FlatButton.Pressed, "#copy")
    def _copy_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.app.copy_to_clipboard(command(self.wizard.session.path))
        self.show_status("Copied to the terminal's clipboard, if the terminal allows it.", "-good")

    @on(FlatButton.Pressed, "#look")
    def _status_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self._read_status()

    def _read_status(self) -> None:
        if self.refused():
            return
        core, path = self.core, self.wizard.session.path
        self._failure = None
        self.start("status", lambda _post, stop: read_status(core, path, stop))
        self.follow()

    def receive(self, report: object) -> None:
        """Handle the status, or why it could not be read."""
        match report:
            case JobFinished(job="status", result=Installed() as installed):
                self.wizard.session.installed = installed
                self.show_status(checked_at_text(installed).strip(), "-good")
            case JobFailed(job="status") as failed:
                self.wizard.asking.forget()
                self._failure = failed
        self.follow()


def checked_at_text(installed: Installed) -> str:
    """Return when the status was read, local time; empty if not since the installation."""
    at = installed.at
    return f"Status read at {time.strftime('%H:%M:%S', time.localtime(at))}.\n\n" if at else ""


def command(path: Path) -> str:
    """Return the command that repeats the installation unattended."""
    return f"oz-install --answers {shlex.quote(str(path))}"


def commands(path: Path) -> str:
    """List further commands for this installation."""
    rows = [f"  {name:<13} {about}" for name, about in MORE]
    return "\n".join(["Commands", f"  oz-install COMMAND --answers {shlex.quote(str(path))}", *rows])


def look_of(line: str) -> str:
    if line.startswith("NODE") or line in HEADS:
        return "strong"
    return "bad" if "  ! " in line or "(!)" in line else ""
