"""Which answers file to open: one that lies near, or any path."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from oz_installer.answers.paths import located
from oz_installer.tui.bridge import Core, Finished
from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.jobs import Jobs, Told
from oz_installer.tui.widgets.menu import Item, Menu
from oz_installer.tui.widgets.push import Push
from oz_installer.tui.widgets.text_input import TextInput


class OpenDialog(Dialog[Path]):
    """Dismissed with the path of a file that is there."""

    HEADING = "Open an answers file"
    AUTO_FOCUS = "#path"

    def __init__(self, core: Core, folder: Path) -> None:
        super().__init__()
        self._core, self._folder = core, folder
        self._jobs = Jobs(self)

    def body(self) -> ComposeResult:
        """A path, and the files of the folder."""
        yield Static("Path", markup=False)
        yield TextInput(placeholder="such as answers.yml", id="path")
        yield Static("", id="wrong", markup=False)
        yield Menu(id="files")

    def foot(self) -> ComposeResult:
        """Open, or not."""
        with Horizontal(classes="dialog-buttons"):
            yield Push("Open", id="open", primary=True)
            yield Push("Cancel", id="cancel", key="Esc")

    def on_mount(self) -> None:
        """Look for files."""
        core, folder = self._core, self._folder
        self._jobs.start("files", lambda _tell, _stop: core.answers_files(folder))

    @on(Told)
    def _told(self, message: Told) -> None:
        match self._jobs.news(message):
            case Finished(job="files", result=files):
                items = [Item(id=str(path), label=path.name) for path in files]
                self.query_one("#files", Menu).show(items)
            case Finished(job="look", result=(path, there)):
                if there:
                    self.dismiss(path)
                else:
                    self.query_one("#wrong", Static).update(f"! There is no file {path}")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._open(self.query_one("#path", TextInput).value.strip())

    @on(Push.Pressed)
    def _pushed(self, event: Push.Pressed) -> None:
        event.stop()
        if event.push.id == "open":
            self._open(self.query_one("#path", TextInput).value.strip())
        else:
            self.dismiss(None)

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        event.stop()
        self.dismiss(Path(event.item.id))

    def _open(self, text: str) -> None:
        if not text:
            self.query_one("#wrong", Static).update("! Name a file, or choose one below")
            return
        core, path = self._core, located(text, self._folder)
        self._jobs.start("look", lambda _tell, _stop: (path, core.exists(path)))
