"""The first step: a new installation, an answers file, or a draft to continue."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from oz_installer.tui.messages import JobFailed, JobFinished
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.steps import STEPS, step
from oz_installer.tui.views.time_text import ago
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.menu import Item, Menu

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft

VERSION = "version"
STEP_IDS = frozenset(one.id for one in STEPS)
CHOICES = (
    Item(
        id="new",
        label="New installation",
        about="Answer the questions; most have a suitable default.",
    ),
    Item(id="open", label="Open an answers file", about="Read it, change it, install it."),
    Item(
        id="manage",
        label="Manage an existing installation",
        about="See its status and pending changes; upgrade or repair it.",
    ),
)


class StartScreen(StepScreen):
    """Menu of what to do, with the saved drafts."""

    STEP: ClassVar[str] = "start"
    BINDINGS: ClassVar[list[BindingType]] = [("delete", "forget")]

    def __init__(self) -> None:
        super().__init__()
        self._drafts: dict[str, SavedDraft] = {}
        self._versioned = False

    def body(self) -> ComposeResult:
        """Compose the menu; drafts are added when they are found."""
        yield Menu(CHOICES, id="choices")
        with Horizontal(classes="actions"):
            yield FlatButton("Delete a draft", id="forget", key="Del")

    def on_mount(self) -> None:
        """Hide the button: no draft is known yet."""
        self.query_one("#forget").display = False

    def follow(self) -> None:
        """Show a field for ``version`` only if it is wrong: the first frame must need no answers."""
        if not self.is_mounted:
            return
        if self._versioned:
            super().follow()
            return
        self.show_frame()
        if self.wizard.session.problems(self.STEP):
            self._ask_version()

    def _ask_version(self) -> None:
        from oz_installer.tui.widgets.form import Form

        self._versioned = True
        self.query_one("#body").mount(Form(VERSION))
        self.call_after_refresh(self.follow)
        self.call_after_refresh(self.focus_key, VERSION)

    def on_screen_resume(self) -> None:
        """Look for drafts again."""
        super().on_screen_resume()
        self.call_after_refresh(self._list_drafts)

    def _list_drafts(self) -> None:
        core = self.core
        self.start("drafts", lambda _post, _stop: core.drafts())

    def receive(self, report: object) -> None:
        """Handle found drafts and a deleted one."""
        match report:
            case JobFinished(job="drafts", result=found):
                self._show(found)
            case JobFinished(job="forget"):
                self._list_drafts()
            case JobFailed(message=message, hint=hint):
                self.show_status(f"! {message}. {hint}", "-bad")
                self._list_drafts()

    def _show(self, drafts: Sequence[SavedDraft]) -> None:
        """Put drafts first and the cursor on the newest, unless it was moved already."""
        self._drafts = {str(draft.path): draft for draft in drafts}
        menu, free = self.query_one(Menu), self._free
        moved = menu.items[menu.highlighted].id != CHOICES[0].id
        menu.show((*(_item(draft) for draft in drafts), *CHOICES))
        if free and not moved:
            menu.highlighted = drafts.index(free[0])
        self.query_one("#forget").display = bool(free)

    @property
    def _free(self) -> list[SavedDraft]:
        """Drafts that no other wizard is editing."""
        return [draft for draft in self._drafts.values() if not draft.held]

    # --- deleting drafts ------------------------------------------------------------------------------
    def action_forget(self) -> None:
        """Delete the draft under the cursor, or choose one."""
        menu = self.query_one(Menu)
        draft = self._drafts.get(menu.items[menu.highlighted].id)
        if draft in self._free:
            self._ask_to_forget(draft)
        else:
            self._choose_to_forget()

    @on(FlatButton.Pressed, "#forget")
    def _forget_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self._choose_to_forget()

    def _choose_to_forget(self) -> None:
        """Choose the draft to delete in a dialog: a click in the menu would open it."""
        from oz_installer.tui.dialogs.pick import PickOne

        if len(self._free) == 1:
            self._ask_to_forget(self._free[0])
        elif self._free:
            dialog = PickOne("Delete which draft?", [_item(draft) for draft in self._free])
            self.app.push_screen(dialog, lambda path: self._ask_to_forget(self._drafts.get(path or "")))

    def _ask_to_forget(self, draft: SavedDraft | None) -> None:
        from oz_installer.tui.dialogs.confirm import Confirm

        if draft is None:
            return
        core = self.core
        question = f"Delete the draft of {draft.target}? Its unsaved input is lost."

        def forget(sure: bool | None) -> None:
            if sure:
                self.start("forget", lambda _post, _stop: core.delete_draft(draft))

        self.app.push_screen(Confirm(question, yes="Delete", no="Keep it"), forget)

    def action_next(self) -> None:
        """Go to the next step, or run the highlighted choice when no answers are open."""
        if self.wizard.session.is_open:
            super().action_next()
        else:
            self.query_one(Menu).action_choose()

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        event.stop()
        chosen = event.item.id
        if chosen == "new":
            self.wizard.files.begin()
        elif chosen in self._drafts:
            self.wizard.files.open_draft(self._drafts[chosen])
        else:
            self.wizard.files.ask_to_open("done" if chosen == "manage" else None)


def _item(draft: SavedDraft) -> Item:
    when = ago(time.time() - draft.saved_at)
    return Item(
        id=str(draft.path),
        label=f"Continue {draft.target.name}",
        about=f"Draft of {when}, at {title(draft.step)}; for {draft.target}.",
        barred=f"Another oz-install is editing this draft of {draft.target}." if draft.held else "",
    )


def title(step_id: str) -> str:
    """Return the title of a draft's step; a draft may come from another version."""
    return step(step_id).title if step_id in STEP_IDS else "the start"
