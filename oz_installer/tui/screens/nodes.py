"""The nodes step: a table to edit and test the nodes, and details of the selected one."""

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
from oz_installer.tui.dialogs.node import NodeDialog
from oz_installer.tui.messages import JobFailed, JobFinished
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
from oz_installer.tui.widgets.node_rows import node_names, node_problems, node_row
from oz_installer.tui.widgets.node_table import NodeTable
from oz_installer.tui.widgets.static_text import LiveText
from oz_installer.tui.widgets.test_report import TestReport

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.errors import Problem
    from oz_installer.installation.wizard.role_assignment import RoleAssignment
    from oz_installer.tui.messages import Validation

NONE_YET = "No nodes yet. Press a to add one, or i to import some from ~/.ssh/config."
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


class NodesScreen(StepScreen):
    """Table of nodes, buttons, and details of the node under the cursor."""

    STEP: ClassVar[str] = "nodes"
    BINDINGS: ClassVar[list[BindingType]] = [("f5", "try_all")]

    def __init__(self) -> None:
        super().__init__()
        self._node_tests = NodeTestController(self)
        self._importing = SshImport(self)
        self._assignment: RoleAssignment | None = None
        self._assigned_for: object = None
        self._dialog: NodeDialog | None = None
        self._late = False

    def body(self) -> ComposeResult:
        """Compose layout, table, buttons, details and the known_hosts question."""
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
        """Refresh rows and roles, but not while a form is open, so that typing in it is fast."""
        if self._dialog is not None:
            self._dialog.follow()
            return
        asked = (working.values.get("nodes"), working.get("scenario"), working.get("release"))
        if asked != self._assigned_for:
            self._assigned_for = asked
            core = self.core
            self.start("roles", lambda _post, _stop: core.role_assignment(working))
        self.show_nodes()

    def show_nodes(self) -> None:
        """Show the table and the details, unless a form is open."""
        if self._dialog is not None:
            return
        working, problems = self.working, self._problems
        all_roles = self._assignment.seats if self._assignment else ()
        rows = [
            node_row(
                working,
                index,
                all_roles[index] if index < len(all_roles) else None,
                self._node_tests.state(working, index),
                node_problems(problems, index),
            )
            for index in range(working.nodes())
        ]
        self.query_one(NodeTable).show(rows)
        text, wrong = layout_text(self._assignment)
        self.query_one("#layout", LiveText).set_text(
            Content.styled(text, "$text-error" if wrong else "$text-muted")
        )
        self._show_node()

    def show_soon(self) -> None:
        """Refresh the table soon, at most ten times a second: many nodes may answer together."""
        if not self._late:
            self._late = True
            OneShotTimer(self, PACE, self._show_late)

    def _show_late(self) -> None:
        self._late = False
        self.show_nodes()

    @property
    def _problems(self) -> tuple[Problem, ...]:
        """Problems of the last validation.

        Until exactly these answers are validated: the ones visible without it and, if the nodes are
        the same, those of the previous validation.
        """
        working, judged = self.working, self.wizard.session.judged
        if judged is None or judged.working is working:
            return judged.all_problems if judged else working.problems()
        before = judged.working
        if node_names(before) != node_names(working):
            return working.problems()
        return (*working.problems(), *(one for one in judged.all_problems if one not in before.problems()))

    def _show_node(self) -> None:
        self.query_one(TestReport).show(self._about)

    def _about(self, width: int) -> Content:
        """Describe the node under the cursor."""
        working, index = self.working, self.index
        if index is None:
            return Content.styled(NONE_YET, "$text-muted")
        all_roles = self._assignment.seats if self._assignment else ()
        node_roles = all_roles[index] if index < len(all_roles) else None
        lines = node_roles_text(node_roles, width) if node_roles else []
        for problem in node_problems(self._problems, index):
            lines += [Content.styled(line, "$text-error") for line in problem_lines(problem, width)]
        name = working.get(f"nodes[{index}].name")
        if probe := self._node_tests.results.of(working, name):
            lines += probe_lines(probe, width, node_roles)
        elif why := self._node_tests.results.why_stale(working, name):
            lines += [Content.styled(line, "$text-warning") for line in indented(f"? {why}", width)]
            lines += facts_lines(self._node_tests.results.facts(working, name), width)
        return Content("\n").join(lines)

    @on(DataTable.RowHighlighted)
    def _highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if event.data_table.has_focus:
            self.query_one("#body").scroll_home(animate=False)
        self._show_node()

    # --- editing --------------------------------------------------------------------------------------
    @property
    def index(self) -> int | None:
        """Index of the node under the cursor; None when there is none."""
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
        """Add a node at the end."""
        before = self.working
        self.wizard.edit(before.add_node())
        self._ask(before.nodes(), "Add a node", before, fresh=True)

    def action_edit_node(self) -> None:
        """Open the form of the node."""
        if (index := self.index) is not None:
            self._ask(index, f"Node {self.working.get(f'nodes[{index}].name') or index + 1}", self.working)

    def action_copy_node(self) -> None:
        """Insert a copy below and ask for what differs per server."""
        if (index := self.index) is not None:
            before = self.working
            self.wizard.edit(before.copy_node(index))
            heading = f"Copy of {before.get(f'nodes[{index}].name') or index + 1}"
            self._ask(index + 1, heading, before, "host", fresh=True)

    def action_remove_node(self) -> None:
        """Ask, then remove the node from the answers."""
        from oz_installer.tui.dialogs.confirm import Confirm

        if (index := self.index) is None:
            return
        name = self.working.get(f"nodes[{index}].name") or f"number {index + 1}"
        question = f"Remove node {name[:40]} from the answers? The server is not changed."

        def remove(sure: bool | None) -> None:
            if sure:
                self.wizard.edit(self.working.remove_node(index))
                self.show_status(f"Node {name[:40]} was removed from the answers.")

        self.app.push_screen(Confirm(question, yes="Remove", no="Keep it"), remove)

    def action_move_node(self, by: int) -> None:
        """Move the node up or down, and the cursor with it."""
        if (index := self.index) is not None:
            there = min(max(index + by, 0), self.working.nodes() - 1)
            self.wizard.edit(self.working.move_node(index, by))
            self.query_one(NodeTable).move_cursor(row=there)

    def focus_key(self, key: str) -> None:
        """Focus a question; for a question of a node open its form."""
        index, _, name = key.removeprefix("nodes[").partition("].")
        if key.startswith("nodes[") and index.isdigit() and int(index) < self.working.nodes():
            self.query_one(NodeTable).move_cursor(row=int(index))
            heading = f"Node {self.working.get(f'nodes[{index}].name') or int(index) + 1}"
            self._ask(int(index), heading, self.working, name)
        else:
            super().focus_key(key)

    def _ask(
        self, index: int, heading: str, before: WorkingCopy, first: str = "name", *, fresh: bool = False
    ) -> None:
        """Open a node's form; Cancel restores ``before``."""
        if self._dialog is not None:
            return
        table = self.query_one(NodeTable)
        table.move_cursor(row=index)
        self._dialog = NodeDialog(index, heading[:60], first=first, fresh=fresh)

        def done(kept: bool | None) -> None:
            self._dialog = None
            if not kept:
                self.wizard.edit(before)
            table.focus()
            self.follow()

        self.app.push_screen(self._dialog, done)

    # --- tests and import -----------------------------------------------------------------------------
    def action_try_node(self) -> None:
        """Test the node under the cursor."""
        if (index := self.index) is not None:
            self._node_tests.start([index])

    def action_try_all(self) -> None:
        """Test all nodes in parallel."""
        self._node_tests.start(range(self.working.nodes()))

    def action_accept_key(self) -> None:
        """Accept the host key of the node under the cursor, then test it again."""
        if (index := self.index) is not None:
            self._node_tests.accept([self.working.get(f"nodes[{index}].name") or ""])

    def action_import_nodes(self) -> None:
        """Import hosts from ~/.ssh/config."""
        self._importing.start()

    def on_screen_suspend(self) -> None:
        """Stop the tests when another step is shown."""
        if self.wizard.step_screen is not self:
            self._node_tests.stop()

    def receive(self, report: object) -> None:
        """Handle roles, node tests and found hosts."""
        match report:
            case JobFinished(job="roles", result=assignment):
                self._assignment = assignment
                self._node_tests.results.roles = {
                    node_roles.name: node_roles for node_roles in assignment.seats
                }
                self.show_nodes()
            case JobFinished(job="import", result=hosts):
                self._importing.offer(hosts)
            case JobFailed(job="import", message=message, hint=hint):
                self.show_status(f"error: {message}. {hint}", "-bad")
            case _:
                self._node_tests.receive(report)
