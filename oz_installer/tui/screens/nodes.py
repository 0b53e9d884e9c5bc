"""The servers: a table to add, edit, duplicate, remove, move and test them, and what is known of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import DataTable

from oz_installer.tui.controllers.node_tests import NodeTestController
from oz_installer.tui.controllers.ssh_import import SshImport
from oz_installer.tui.core import JobFailed, JobFinished
from oz_installer.tui.dialogs.node import NodeDialog
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.timer import OneShotTimer
from oz_installer.tui.views.event_feed import PACE
from oz_installer.tui.views.findings import (
    facts_lines,
    indented,
    layout_text,
    node_roles_text,
    probe_lines,
    problem_lines,
)
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.node_rows import node_problems, node_row
from oz_installer.tui.widgets.node_table import NodeTable
from oz_installer.tui.widgets.static_text import LiveText
from oz_installer.tui.widgets.test_report import TestReport

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.errors import Problem
    from oz_installer.installation.wizard.role_assignment import RoleAssignment
    from oz_installer.tui.core import Validation

NONE_YET = "No nodes yet. Press a to add one, or i to take some from ~/.ssh/config."
EDITING = (
    ("Add", "add_node", "a"),
    ("Edit", "edit_node", "⏎"),
    ("Duplicate", "copy_node", "d"),
    ("Remove", "remove_node", "Del"),
    ("Up", "move_node(-1)", "⇧↑"),
    ("Down", "move_node(1)", "⇧↓"),
)
TESTING = (
    ("Test", "try_node", "t"),
    ("Test all", "try_all", "F5"),
    ("Accept key", "accept_key", "k"),
    ("Import hosts", "import_nodes", "i"),
)


def names(working: WorkingCopy) -> list[object]:
    """Of the nodes, in their order."""
    return [working.get(f"nodes[{place}].name") for place in range(working.nodes())]


class NodesScreen(StepScreen):
    """Table, buttons, and all about the node under the cursor."""

    STEP: ClassVar[str] = "nodes"
    BINDINGS: ClassVar[list[BindingType]] = [("f5", "try_all")]

    def __init__(self) -> None:
        super().__init__()
        self._trying = NodeTestController(self)
        self._importing = SshImport(self)
        self._seating: RoleAssignment | None = None
        self._seated_for: object = None
        self._dialog: NodeDialog | None = None
        self._late = False

    def body(self) -> ComposeResult:
        """The layout, the table, what can be done, the node, and where keys are looked up."""
        yield LiveText(id="layout")
        yield NodeTable(id="nodes")
        for row in (EDITING, TESTING):
            with Horizontal(classes="actions"):
                for label, action, key in row:
                    yield FlatButton(label, key=key, action=action)
        yield TestReport(id="about")
        yield Form("known_hosts", id="known")

    # --- what is shown --------------------------------------------------------------------------------
    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Rows and roles follow; below an open form they wait, so that typing in it is quick."""
        if self._dialog is not None:
            self._dialog.follow()
            return
        asked = (working.values.get("nodes"), working.get("scenario"), working.get("release"))
        if asked != self._seated_for:
            self._seated_for = asked
            core = self.core
            self.start("seating", lambda _tell, _stop: core.role_assignment(working))
        self.show_nodes()

    def show_nodes(self) -> None:
        """The table and what stands around it; below a form they are shown when that is done."""
        if self._dialog is not None:
            return
        working, problems = self.working, self._problems
        seats = self._seating.seats if self._seating else ()
        rows = [
            node_row(
                working,
                place,
                seats[place] if place < len(seats) else None,
                self._trying.state(working, place),
                node_problems(problems, place),
            )
            for place in range(working.nodes())
        ]
        self.query_one(NodeTable).show(rows)
        text, wrong = layout_text(self._seating)
        self.query_one("#layout", LiveText).set_text(
            Content.styled(text, "$text-error" if wrong else "$text-muted")
        )
        self._show_node()

    def show_soon(self) -> None:
        """Many nodes answer at once: the table is written ten times a second at most."""
        if not self._late:
            self._late = True
            OneShotTimer(self, PACE, self._show_late)

    def _show_late(self) -> None:
        self._late = False
        self.show_nodes()

    @property
    def _problems(self) -> tuple[Problem, ...]:
        """As judged. Until these very answers are, those that are seen at once, and of the same nodes what
        was judged before."""
        working, judged = self.working, self.wizard.session.judged
        if judged is None or judged.working is working:
            return judged.all_problems if judged else working.problems()
        before = judged.working
        if names(before) != names(working):
            return working.problems()
        return (*working.problems(), *(one for one in judged.all_problems if one not in before.problems()))

    def _show_node(self) -> None:
        self.query_one(TestReport).show(self._about)

    def _about(self, width: int) -> Content:
        """All about the node under the cursor."""
        working, place = self.working, self.index
        if place is None:
            return Content.styled(NONE_YET, "$text-muted")
        seats = self._seating.seats if self._seating else ()
        seat = seats[place] if place < len(seats) else None
        lines = node_roles_text(seat, width) if seat else []
        for problem in node_problems(self._problems, place):
            lines += [Content.styled(line, "$text-error") for line in problem_lines(problem, width)]
        name = working.get(f"nodes[{place}].name")
        if tried := self._trying.trials.of(working, name):
            lines += probe_lines(tried, width, seat)
        elif why := self._trying.trials.why_stale(working, name):
            lines += [Content.styled(line, "$text-warning") for line in indented(f"? {why}", width)]
            lines += facts_lines(self._trying.trials.facts(working, name), width)
        return Content("\n").join(lines)

    @on(DataTable.RowHighlighted)
    def _highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if event.data_table.has_focus:
            self.query_one("#body").scroll_home(animate=False)
        self._show_node()

    # --- what is done with nodes ----------------------------------------------------------------------
    @property
    def index(self) -> int | None:
        """The place of the node under the cursor; None when there is none."""
        row, count = self.query_one(NodeTable).cursor_row, self.working.nodes()
        return min(row, count - 1) if count and row >= 0 else None

    @on(DataTable.RowSelected)
    def _selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_edit_node()

    @on(FlatButton.Pressed, ".actions FlatButton")
    async def _pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        await self.run_action(event.push.action)

    def action_add_node(self) -> None:
        """One more, at the end."""
        before = self.working
        self.wizard.edit(before.add_node())
        self._ask(before.nodes(), "Add a node", before, fresh=True)

    def action_edit_node(self) -> None:
        """Its form."""
        if (place := self.index) is not None:
            self._ask(place, f"Node {self.working.get(f'nodes[{place}].name') or place + 1}", self.working)

    def action_copy_node(self) -> None:
        """The same again behind it; its form asks for what is one server's only."""
        if (place := self.index) is not None:
            before = self.working
            self.wizard.edit(before.copy_node(place))
            heading = f"A copy of {before.get(f'nodes[{place}].name') or place + 1}"
            self._ask(place + 1, heading, before, "host", fresh=True)

    def action_remove_node(self) -> None:
        """Ask, and take it out of the answers."""
        from oz_installer.tui.dialogs.confirm import Confirm

        if (place := self.index) is None:
            return
        name = self.working.get(f"nodes[{place}].name") or f"number {place + 1}"
        question = f"Remove node {name[:40]} from the answers? Nothing is changed on the server."

        def remove(sure: bool | None) -> None:
            if sure:
                self.wizard.edit(self.working.remove_node(place))
                self.say(f"Node {name[:40]} is removed from the answers.")

        self.app.push_screen(Confirm(question, yes="Remove", no="Keep it"), remove)

    def action_move_node(self, by: int) -> None:
        """Up or down; the cursor goes with it."""
        if (place := self.index) is not None:
            there = min(max(place + by, 0), self.working.nodes() - 1)
            self.wizard.edit(self.working.move_node(place, by))
            self.query_one(NodeTable).move_cursor(row=there)

    def focus_key(self, key: str) -> None:
        """A question of one node opens its form."""
        place, _, name = key.removeprefix("nodes[").partition("].")
        if key.startswith("nodes[") and place.isdigit() and int(place) < self.working.nodes():
            self.query_one(NodeTable).move_cursor(row=int(place))
            heading = f"Node {self.working.get(f'nodes[{place}].name') or int(place) + 1}"
            self._ask(int(place), heading, self.working, name)
        else:
            super().focus_key(key)

    def _ask(
        self, place: int, heading: str, before: WorkingCopy, first: str = "name", *, fresh: bool = False
    ) -> None:
        """Show a node's form; given up, the answers are ``before`` again."""
        if self._dialog is not None:
            return
        table = self.query_one(NodeTable)
        table.move_cursor(row=place)
        self._dialog = NodeDialog(place, heading[:60], first=first, fresh=fresh)

        def done(kept: bool | None) -> None:
            self._dialog = None
            if not kept:
                self.wizard.edit(before)
            table.focus()
            self.follow()

        self.app.push_screen(self._dialog, done)

    # --- tests and import -----------------------------------------------------------------------------
    def action_try_node(self) -> None:
        """Connect to the node under the cursor, and look at it."""
        if (place := self.index) is not None:
            self._trying.start([place])

    def action_try_all(self) -> None:
        """Connect to all of them at once."""
        self._trying.start(range(self.working.nodes()))

    def action_accept_key(self) -> None:
        """Accept the key that the node under the cursor has shown; then look at it again."""
        if (place := self.index) is not None:
            self._trying.accept([self.working.get(f"nodes[{place}].name") or ""])

    def action_import_nodes(self) -> None:
        """Choose from ~/.ssh/config."""
        self._importing.start()

    def on_screen_suspend(self) -> None:
        """Another step is shown: nothing is tried on behind the operator's back."""
        if self.wizard.step_screen is not self:
            self._trying.stop()

    def heard(self, news: object) -> None:
        """Roles were worked out, a node was tried, or hosts were found."""
        match news:
            case JobFinished(job="seating", result=seating):
                self._seating = seating
                self._trying.trials.seats = {seat.name: seat for seat in seating.seats}
                self.show_nodes()
            case JobFinished(job="import", result=hosts):
                self._importing.offer(hosts)
            case JobFailed(job="import", message=message, hint=hint):
                self.say(f"error: {message}. {hint}", "-bad")
            case _:
                self._trying.heard(news)
