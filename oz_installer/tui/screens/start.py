"""The first step: a new installation, an answers file, or a draft that waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult

from oz_installer.tui.bridge import Finished
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.steps import STEPS, step
from oz_installer.tui.widgets.menu import Item, Menu

if TYPE_CHECKING:
    from oz_installer.answers.drafts import SavedDraft

DRAFT = "draft-"
VERSION = "version"
STEP_IDS = frozenset(one.id for one in STEPS)
CHOICES = (
    Item(
        id="new",
        label="New installation",
        about="Answer the questions; most have a default that fits.",
    ),
    Item(id="open", label="Open an answers file", about="Look at it, change it, install it."),
    Item(
        id="manage",
        label="Manage an existing installation",
        about="Open its answers file; see what would change; upgrade or repair it.",
    ),
)


class StartScreen(StepScreen):
    """What to do."""

    STEP: ClassVar[str] = "start"

    def __init__(self) -> None:
        super().__init__()
        self._drafts: tuple[SavedDraft, ...] = ()
        self._versioned = False

    def body(self) -> ComposeResult:
        """A menu; drafts join it as soon as they are found."""
        yield Menu(CHOICES, id="choices")

    def follow(self) -> None:
        """No answer is shown here, so that the first frame needs none; but a wrong version can be mended."""
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
        """Look for drafts each time: there may be another one now."""
        super().on_screen_resume()
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        core = self.core
        self.start("drafts", lambda _tell, _stop: core.drafts())

    def heard(self, news: object) -> None:
        """The drafts were found."""
        if isinstance(news, Finished):
            self._drafts = news.result
            self.query_one(Menu).show((*CHOICES, *self._items()))

    def _items(self) -> list[Item]:
        return [
            Item(
                id=f"{DRAFT}{place}",
                label=f"Continue {draft.target.name}",
                about=f"Draft of {ago(time.time() - draft.saved_at)}, at {title(draft.step)}; "
                f"for {draft.target}.",
            )
            for place, draft in enumerate(self._drafts)
        ]

    def action_next(self) -> None:
        """The same as the highlighted choice; once answers are open, simply on."""
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
        elif chosen.startswith(DRAFT):
            self.wizard.files.open_draft(self._drafts[int(chosen.removeprefix(DRAFT))])
        else:
            self.wizard.files.ask_to_open("review" if chosen == "manage" else None)


def title(step_id: str) -> str:
    """The title of the step that a draft was left at; drafts may be of another version."""
    return step(step_id).title if step_id in STEP_IDS else "the start"


def ago(seconds: float) -> str:
    """Such as ``5 minutes ago``."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
