"""The database step: an external PostgreSQL or, where allowed, the bundled one."""

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
    from oz_installer.tui.jobs import Job
    from oz_installer.tui.messages import Validation

KEYS = tuple(key for key in keys_of("database") if key.startswith("database."))
HOST = "database.host"
REMOTE = (
    HOST,
    "database.port",
    "database.sslmode",
    "database.ca_file",
    "database.admin_user",
    "database.admin_password",
)
"""Questions of an external server only."""

EXTERNAL = Option(value="external", label="your own server")
BUNDLED = Option(value="bundled", label="bundled")
WARNING = (
    "For PoC and tests only: it runs on the api node, without backups or a replica. "
    "Its password is generated."
)


class DatabaseScreen(TestScreen):
    """Choice of server, its questions and the test from every api node."""

    STEP: ClassVar[str] = "database"
    SECTION: ClassVar[str] = "database"
    TEST: ClassVar[str] = "Test from every api node"
    NEEDED: ClassVar[str] = HOST

    def __init__(self) -> None:
        super().__init__()
        self._stash = HiddenAnswers()
        self._wanted = ""

    def body(self) -> ComposeResult:
        """Compose the choice, the questions and the test."""
        yield DerivedChoice("PostgreSQL", (EXTERNAL, BUNDLED), on_change=self._pick, id="mode")
        yield Form(*KEYS)
        yield from self.test_part()

    @property
    def _mode(self) -> str:
        if self.working.is_given(HOST) or self._wanted == "external" or self.assignment is None:
            return "external"
        return "external" if self.needed else "bundled"

    def show(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Show only the questions of the chosen server.

        Once a host was given the server is external, even while the host is being retyped.
        """
        if working.is_given(HOST):
            self._wanted = "external"
        mode = self._mode
        barred = self.needed or ""
        options = (EXTERNAL, Option(value="bundled", label=BUNDLED.label, barred=barred))
        apis = self.assignment.api_nodes if self.assignment else ()
        if mode == "bundled":
            note, look = f"! {WARNING}", "-bad"
        elif barred and self.assignment is not None:
            note, look = f"bundled: {barred.partition(';')[0]}", "-barred"
        else:
            note, look = f"It must be reachable from {join_and(apis)}." if apis else "", ""
        self.query_one("#mode", DerivedChoice).show(options, mode, note, look)
        wanted = KEYS if mode == "external" else tuple(key for key in KEYS if key not in REMOTE)
        self.show_form(wanted, judged, blamed=mode == "external")
        self.query_one("#test").display = mode == "external"

    def untestable(self) -> str:
        """Return why there is nothing to test: a bundled server, or no host."""
        if self._mode == "bundled":
            return "Nothing to test: the bundled database is installed with Oz."
        named = self.working.get(HOST) or self.working.texts.get(HOST)
        return "" if named else "! Enter the host of your PostgreSQL server first."

    def edit_answers(self, change: Callable[[WorkingCopy], WorkingCopy]) -> None:
        """Apply an edit; for an external server the host is required."""
        working = change(self.working)
        if self._wanted == "external" and not self.needed and not working.is_given(HOST):
            working = working.as_required(HOST)
        self.wizard.edit(working, soon=True)

    def _pick(self, mode: str) -> None:
        self._wanted = mode
        move = self._stash.hide if mode == "bundled" else self._stash.restore
        self.edit_answers(lambda working: move(working, REMOTE))
        self.follow_soon()  # the mode has changed even if the answers have not

    def test_job(self) -> Job:
        """Return the job that logs in from every api node."""
        core, working, path = self.core, self.working, self.wizard.session.path
        return lambda post, stop: core.probe_section("database", working, path, post, stop)
