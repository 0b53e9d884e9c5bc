"""Where media are kept: whether it must be shared and why, and the questions of the chosen type only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.content import Content

from oz_installer.tui.screens.tested import TestedScreen, both
from oz_installer.tui.stash import Stash
from oz_installer.tui.steps import keys_of
from oz_installer.tui.widgets.choice import Option
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.words import Words

if TYPE_CHECKING:
    from oz_installer.answers.working import Working
    from oz_installer.tui.bridge import Judged
    from oz_installer.tui.jobs import Job

TYPE = "storage.type"
KEYS = tuple(key for key in keys_of("storage") if key.startswith("storage."))
OF_TYPE = {
    "nfs": ("storage.server", "storage.export", "storage.options"),
    "path": ("storage.path",),
    "local": (),
}
TYPES = (
    Option(value="nfs", label="NFS export"),
    Option(value="path", label="a mount that the nodes have"),
    Option(value="local", label="a local folder"),
)


class StorageScreen(TestedScreen):
    """Why, which type, its questions, the test."""

    STEP: ClassVar[str] = "storage"
    SECTION: ClassVar[str] = "storage"
    TEST: ClassVar[str] = "Test on the api nodes"

    def __init__(self) -> None:
        super().__init__()
        self._stash = Stash()

    def body(self) -> ComposeResult:
        """Why, the questions, the test."""
        yield Words(id="why")
        yield Form(*KEYS, options={TYPE: TYPES})
        yield from self.test_part()

    def show(self, working: Working, judged: Judged | None) -> None:
        """Only the questions of the chosen type."""
        self.query_one("#why", Words).say(Content(why(self.seating.apis) if self.seating else ""))
        wanted = OF_TYPE.get(working.get(TYPE), ())
        self.show_form((TYPE, *wanted), judged)

    def edit_answers(self, change: Callable[[Working], Working]) -> None:
        """Another type: what only the old one has goes out of the answers, and comes back with it."""
        working = change(self.working)
        if working.get(TYPE) != self.working.get(TYPE):
            mine = OF_TYPE.get(working.get(TYPE), ())
            others = [key for keys in OF_TYPE.values() for key in keys if key not in mine]
            working = self._stash.give_back(self._stash.take(working, others), mine)
        self.wizard.edit(working, soon=True)

    def test_job(self) -> Job:
        """Write, read, remove."""
        core, working, path = self.core, self.working, self.wizard.session.path
        return lambda tell, stop: core.try_storage(working, path, tell, stop)


def why(apis: tuple[str, ...]) -> str:
    """Whether media must be on shared storage."""
    if not apis:
        return "Shared storage is needed when two or more nodes run the API; no node does yet."
    if len(apis) == 1:
        return f"Shared storage is not needed: only {apis[0]} runs the API, and a folder of its own will do."
    every = "both" if len(apis) == 2 else "all"
    return f"Shared storage is needed: {both(apis)} {every} run the API and must see the same media."
