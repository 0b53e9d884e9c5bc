"""The storage step: whether shared storage is needed, and the questions of the chosen type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.content import Content

from oz_installer.text import join_and
from oz_installer.tui.screens.test_screen import TestScreen
from oz_installer.tui.steps import keys_of
from oz_installer.tui.views.hidden_answers import HiddenAnswers
from oz_installer.tui.widgets.choice import Option
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.static_text import LiveText

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.jobs import Job
    from oz_installer.tui.messages import Validation

TYPE = "storage.type"
KEYS = tuple(key for key in keys_of("storage") if key.startswith("storage."))
OF_TYPE = {
    "nfs": ("storage.server", "storage.export", "storage.options"),
    "path": ("storage.path",),
    "local": (),
}
TYPES = (
    Option(value="nfs", label="NFS export"),
    Option(value="path", label="an existing mount"),
    Option(value="local", label="a local folder"),
)


class StorageScreen(TestScreen):
    """Reason, type, its questions and the test."""

    STEP: ClassVar[str] = "storage"
    SECTION: ClassVar[str] = "storage"
    TEST: ClassVar[str] = "Test on the api nodes"

    def __init__(self) -> None:
        super().__init__()
        self._stash = HiddenAnswers()

    def body(self) -> ComposeResult:
        """Compose the reason, the questions and the test."""
        yield LiveText(id="why")
        yield Form(*KEYS, options={TYPE: TYPES})
        yield from self.test_part()

    def show(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Show only the questions of the chosen type."""
        self.query_one("#why", LiveText).set_text(
            Content(why(self.assignment.api_nodes) if self.assignment else "")
        )
        wanted = OF_TYPE.get(working.get(TYPE), ())
        self.show_form((TYPE, *wanted), judged)

    def edit_answers(self, change: Callable[[WorkingCopy], WorkingCopy]) -> None:
        """Apply an edit; a new type hides the answers of the old one until that is chosen again."""
        working = change(self.working)
        if working.get(TYPE) != self.working.get(TYPE):
            mine = OF_TYPE.get(working.get(TYPE), ())
            others = [key for keys in OF_TYPE.values() for key in keys if key not in mine]
            working = self._stash.restore(self._stash.hide(working, others), mine)
        self.wizard.edit(working, soon=True)

    def test_job(self) -> Job:
        """Return the job that writes, reads and removes a file."""
        core, working, path = self.core, self.working, self.wizard.session.path
        return lambda post, stop: core.probe_section("storage", working, path, post, stop)


def why(apis: tuple[str, ...]) -> str:
    """Explain whether media must be on shared storage."""
    if not apis:
        return "Shared storage is needed when two or more nodes run the API; no node does so yet."
    if len(apis) == 1:
        return f"Shared storage is not needed: only {apis[0]} runs the API, so a local folder is enough."
    every = "both" if len(apis) == 2 else "all"
    return f"Shared storage is needed: {join_and(apis)} {every} run the API and must share the media."
