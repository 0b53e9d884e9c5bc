"""The PostgreSQL server; a bundled one where the scenario allows it, with the warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult

from oz_installer.text import join_and
from oz_installer.tui.screens.test_screen import TestScreen
from oz_installer.tui.steps import keys_of
from oz_installer.tui.views.hidden_answers import HiddenAnswers
from oz_installer.tui.widgets.choice import Option
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.mode import DerivedChoice

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.core import Validation
    from oz_installer.tui.jobs import Job

KEYS = tuple(key for key in keys_of("database") if key.startswith("database."))
HOST = "database.host"
REMOTE = (HOST, "database.port", "database.sslmode", "database.admin_user", "database.admin_password")
"""What only a server of the operator's own has."""

EXTERNAL = Option(value="external", label="a server of yours")
BUNDLED = Option(value="bundled", label="bundled")
WARNING = (
    "For PoC and tests only: it runs on the api node itself, without backups and without a second copy. "
    "Its password is generated."
)


class DatabaseScreen(TestScreen):
    """Which one, its questions, the test from every api node."""

    STEP: ClassVar[str] = "database"
    SECTION: ClassVar[str] = "database"
    TEST: ClassVar[str] = "Test from every api node"
    NEEDED: ClassVar[str] = HOST

    def __init__(self) -> None:
        super().__init__()
        self._stash = HiddenAnswers()
        self._wanted = ""

    def body(self) -> ComposeResult:
        """Which one, the questions, the test."""
        yield DerivedChoice("PostgreSQL", (EXTERNAL, BUNDLED), told=self._pick, id="mode")
        yield Form(*KEYS)
        yield from self.test_part()

    @property
    def _mode(self) -> str:
        if self.working.is_given(HOST) or self._wanted == "external" or self.seating is None:
            return "external"
        return "external" if self.needed else "bundled"

    def show(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Only the questions of what is chosen. A host that was given once makes it a server of yours, even
        while it is typed anew."""
        if working.is_given(HOST):
            self._wanted = "external"
        mode = self._mode
        barred = self.needed or ""
        options = (EXTERNAL, Option(value="bundled", label=BUNDLED.label, barred=barred))
        apis = self.seating.api_nodes if self.seating else ()
        if mode == "bundled":
            note, look = f"! {WARNING}", "-bad"
        elif barred and self.seating is not None:
            note, look = f"bundled: {barred.partition(';')[0]}", "-barred"
        else:
            note, look = f"It must be reached by {join_and(apis)}." if apis else "", ""
        self.query_one("#mode", DerivedChoice).show(options, mode, note, look)
        wanted = KEYS if mode == "external" else tuple(key for key in KEYS if key not in REMOTE)
        self.show_form(wanted, judged, blamed=mode == "external")
        self.query_one("#test").display = mode == "external"

    def untestable(self) -> str:
        """A bundled server is not there yet, and one without a name cannot be found."""
        if self._mode == "bundled":
            return "A bundled database comes with the installation."
        named = self.working.get(HOST) or self.working.texts.get(HOST)
        return "" if named else "! Type the host of your PostgreSQL server first."

    def edit_answers(self, change: Callable[[WorkingCopy], WorkingCopy]) -> None:
        """Where a server of the operator's own was chosen, its host must be answered."""
        working = change(self.working)
        if self._wanted == "external" and not self.needed and not working.is_given(HOST):
            working = working.as_required(HOST)
        self.wizard.edit(working, soon=True)

    def _pick(self, mode: str) -> None:
        self._wanted = mode
        move = self._stash.hide if mode == "bundled" else self._stash.restore
        self.edit_answers(lambda working: move(working, REMOTE))
        self.follow_soon()  # though the answers be the same, the mode is another

    def test_job(self) -> Job:
        """Log in from every api node."""
        core, working, path = self.core, self.working, self.wizard.session.path
        return lambda tell, stop: core.probe_section("database", working, path, tell, stop)
