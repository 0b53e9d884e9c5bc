"""Dialog to open an answers file: one of the folder, or any path."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from oz_installer.answers.local_files import resolve_path
from oz_installer.tui.core import AnswersApi
from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.jobs import JobMessage, Jobs
from oz_installer.tui.messages import JobFailed, JobFinished
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.menu import Item, Menu
from oz_installer.tui.widgets.text_input import TextInput


class PathInput(TextInput):
    """An input from which Down moves to the list of files."""

    BINDINGS: ClassVar[list[BindingType]] = [("down", "screen.enter_list")]


class OpenDialog(Dialog[Path]):
    """Dialog that returns the path of an existing, readable file."""

    HEADING = "Open an answers file"
    AUTO_FOCUS = "#path"

    def __init__(self, core: AnswersApi, folder: Path) -> None:
        super().__init__()
        self._core, self._folder = core, folder
        self._jobs = Jobs(self)

    def body(self) -> ComposeResult:
        """Compose the path and the files of the folder."""
        yield Static("Path", markup=False)
        yield PathInput(placeholder="for example answers.yml", id="path")
        yield Static("", id="wrong", markup=False)
        yield Static("", id="near", classes="hint", markup=False)
        yield Menu(id="answers")

    def foot(self) -> ComposeResult:
        """Compose the buttons."""
        yield from self.buttons("Open", "open")

    def on_mount(self) -> None:
        """List the folder's answers files."""
        self._list(self._folder)

    def _list(self, folder: Path) -> None:
        core = self._core
        self._jobs.start("files", lambda _post, _stop: (folder, core.answers_files(folder)))

    @on(JobMessage)
    def _job_reported(self, event: JobMessage) -> None:
        match self._jobs.report_of(event):
            case JobFinished(job="files", result=(folder, files)) if files or folder == self._folder:
                self._show(folder, files)
            case JobFinished(job="find", result=(path, there)):
                if there:
                    self.dismiss(path)
                else:
                    self._show_error(f"! File not found: {path}")
            case JobFailed(job="find", message=message, hint=hint):
                self._show_error(f"! {message}; {hint}")
                self._list(resolve_path(self._typed, self._folder))

    def _show(self, folder: Path, files: tuple[Path, ...]) -> None:
        menu = self.query_one("#answers", Menu)
        menu.show([Item(id=str(path), label=path.name) for path in files])
        menu.can_focus = bool(files)
        found = f"Down: the files in {folder}" if files else f"No answers file in {folder}"
        self.query_one("#near", Static).update(f"{found}; Escape closes")

    @property
    def _typed(self) -> str:
        return self.query_one("#path", TextInput).value.strip()

    def _show_error(self, wrong: str) -> None:
        self.query_one("#wrong", Static).update(wrong)

    def action_enter_list(self) -> None:
        """Focus the list of files unless it is empty."""
        menu = self.query_one("#answers", Menu)
        if menu.items:
            menu.focus()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._open(self._typed)

    @on(FlatButton.Pressed, "#open")
    def _pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self._open(self._typed)

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        event.stop()
        self.dismiss(Path(event.item.id))

    def _open(self, text: str) -> None:
        if not text:
            near = self.query_one("#answers", Menu).items
            self._show_error("! Enter a path or choose a file below" if near else "! Enter a path")
            return
        core, path = self._core, resolve_path(text, self._folder)

        def find(_post: object, _stop: object) -> tuple[Path, bool]:
            there = core.exists(path)
            if there:
                core.read(path)
            return path, there

        self._jobs.start("find", find)
