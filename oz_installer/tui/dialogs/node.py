"""One node's questions. What is typed is in the answers at once; giving up puts them back as they were."""

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
    """True when the node is to stay as it is now; None when it was given up."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+n", "done")]
    AUTO_FOCUS = ""

    def __init__(self, index: int, heading: str, *, first: str = "name", fresh: bool = False) -> None:
        """``fresh``: nobody has been asked yet, so that nothing is told to be missing."""
        super().__init__(classes="broad full")
        self._index, self._title, self._first, self._fresh = index, heading, first, fresh
        self._opened: WorkingCopy | None = None

    def heading(self) -> str:
        """What is done."""
        return self._title

    def body(self) -> ComposeResult:
        """Every question of a node."""
        yield Form(*(f"nodes[{self._index}].{name}" for name in COLUMNS))

    def foot(self) -> ComposeResult:
        """Keep it, or not."""
        yield from self.buttons("Done", "done", key="^N")

    def on_mount(self) -> None:
        """Show the answers; the cursor goes to the first question, or to the one that is asked for."""
        self._opened = self._wizard.session.working
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        form, first = self.query_one(Form), f"nodes[{self._index}].{self._first}"
        if self._fresh:
            form.field(first).focus_target.focus()
        else:
            form.blame()
            form.take_focus(first)
        self.follow()

    def follow(self) -> None:
        """Show the answers as they are now, and what is wrong with them."""
        session = self._wizard.session
        judged = session.judged if session.judged and session.judged.working is session.working else None
        if self.is_mounted and self.is_active and self._index < session.working.nodes():
            self.query_one(Form).follow(session.working, judged)

    def follow_soon(self) -> None:
        """With the step that it lies on."""
        if self._wizard.step_screen is not None:
            self._wizard.step_screen.follow_soon()

    @property
    def _wizard(self) -> Wizard:
        return cast("Wizard", self.app)

    def edit_answers(self, change: Callable[[WorkingCopy], WorkingCopy]) -> None:
        """A field was edited."""
        if self._index < self._wizard.session.working.nodes():
            self._wizard.edit(change(self._wizard.session.working), soon=True)

    @on(Notice)
    def _said(self, message: Notice) -> None:
        message.stop()
        if self._wizard.step_screen is not None:
            self._wizard.step_screen.say(message.words, "-warning")

    @on(FlatButton.Pressed, "#done")
    def _pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_done()

    def action_give_up(self) -> None:
        """Put the answers back; what was typed is not dropped unasked."""
        if self._wizard.session.working == self._opened:
            self.dismiss(None)
            return
        from oz_installer.tui.dialogs.confirm import Confirm

        def drop(sure: bool | None) -> None:
            if sure:
                self.dismiss(None)

        self.app.push_screen(Confirm("Drop what was typed?", yes="Drop it", no="Go on typing"), drop)

    def action_done(self) -> None:
        """Keep what was typed."""
        self.dismiss(True)
