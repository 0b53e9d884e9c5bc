"""Form of one node. Input goes straight into the answers; Cancel restores them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from oz_installer.tui.dialogs.dialog import Dialog
from oz_installer.tui.steps import keys_of
from oz_installer.tui.widgets.answer_widget import Notice
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.form import Form

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.wizard_protocol import Wizard

COLUMNS = tuple(key.partition(".")[2] for key in keys_of("nodes") if key.startswith("nodes[]."))


class NodeDialog(Dialog[bool]):
    """Dialog that returns True to keep the changes, None when cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+n", "done")]
    AUTO_FOCUS = ""

    def __init__(self, index: int, heading: str, *, first: str = "name", fresh: bool = False) -> None:
        """Set up the form; ``fresh``: the node is new, so missing answers are not reported yet."""
        super().__init__(classes="broad full")
        self._index, self._title, self._first, self._fresh = index, heading, first, fresh
        self._opened: WorkingCopy | None = None

    def heading(self) -> str:
        """Return the title."""
        return self._title

    def body(self) -> ComposeResult:
        """Compose the form with every question of a node."""
        yield Form(*(f"nodes[{self._index}].{name}" for name in COLUMNS))

    def foot(self) -> ComposeResult:
        """Compose the buttons."""
        yield from self.buttons("Done", "done", key="^N")

    def on_mount(self) -> None:
        """Show the answers and focus the first or the requested question."""
        self._opened = self._wizard.session.working
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        form, first = self.query_one(Form), f"nodes[{self._index}].{self._first}"
        if self._fresh:
            form.field(first).focus_target.focus()
        else:
            form.mark_missing()
            form.take_focus(first)
        self.follow()

    def follow(self) -> None:
        """Refresh the form from the answers."""
        session = self._wizard.session
        judged = session.judged if session.judged and session.judged.working is session.working else None
        if self.is_mounted and self.is_active and self._index < session.working.nodes():
            self.query_one(Form).follow(session.working, judged)

    def follow_soon(self) -> None:
        """Refresh in the next frame, together with the step below."""
        if self._wizard.step_screen is not None:
            self._wizard.step_screen.follow_soon()

    @property
    def _wizard(self) -> Wizard:
        return cast("Wizard", self.app)

    def edit_answers(self, change: Callable[[WorkingCopy], WorkingCopy]) -> None:
        """Apply an edit to the session's answers."""
        if self._index < self._wizard.session.working.nodes():
            self._wizard.edit(change(self._wizard.session.working), soon=True)

    @on(Notice)
    def _show_notice(self, message: Notice) -> None:
        message.stop()
        if self._wizard.step_screen is not None:
            self._wizard.step_screen.show_status(message.text, "-warning")

    @on(FlatButton.Pressed, "#done")
    def _pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_done()

    def action_give_up(self) -> None:
        """Restore the answers; ask first when something was typed."""
        if self._wizard.session.working == self._opened:
            self.dismiss(None)
            return
        from oz_installer.tui.dialogs.confirm import Confirm

        def discard(sure: bool | None) -> None:
            if sure:
                self.dismiss(None)

        self.app.push_screen(Confirm("Discard changes?", yes="Discard", no="Keep editing"), discard)

    def action_done(self) -> None:
        """Keep the changes."""
        self.dismiss(True)
