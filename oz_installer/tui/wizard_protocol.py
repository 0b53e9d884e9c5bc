"""Protocols of the app, as screens, dialogs, the palette and the controllers see it.

They keep the imports free of circles: the app imports screens and controllers, which import this file only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    from textual.screen import ModalScreen, Screen

    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.secret import Secret
    from oz_installer.tui.core import Core
    from oz_installer.tui.jobs import Job, Jobs
    from oz_installer.tui.session import Session
    from oz_installer.tui.views.styled_rows import Tone

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ExitGuard:
    """Work that must not be interrupted: ``question`` is asked before ``stop`` is called."""

    question: str
    stop: Callable[[], None]


class Exit(Protocol):
    """Exit from the wizard, and the work that must end first."""

    @property
    def held(self) -> bool:
        """True while something must not be interrupted."""
        ...

    def hold(self, hold: ExitGuard) -> None:
        """Ask before quitting, until ``release``."""

    def release(self) -> None:
        """Allow quitting again after the held work has ended."""


class SecretPrompts(Protocol):
    """Prompts for secrets."""

    def __call__(self, label: str) -> Secret:
        """Prompt for a secret, in a job only. Raises AnswersError when the operator gives none."""
        ...

    def forget(self, node: str | None = None) -> None:
        """Forget all secrets or those of one node, to prompt for them again."""

    def cancel_pending(self) -> None:
        """Cancel the open prompts."""

    def end(self) -> None:
        """Cancel open prompts and refuse later ones."""


class Saves(Protocol):
    """Saving answers."""

    @property
    def all_saved(self) -> bool:
        """True while the answers file equals the current answers."""
        ...

    @property
    def writing(self) -> Path | None:
        """The answers file that is being written."""
        ...

    @property
    def writes_all(self) -> bool:
        """True while the current answers are being written."""
        ...

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Write the answers; call ``then`` once they are written."""

    def save_elsewhere(self) -> None:
        """Ask for another path and write the answers there."""


class Files(Protocol):
    """Opening answers, and leaving them."""

    def begin(self) -> None:
        """Begin a new installation."""

    def ask_to_open(self, step_id: str | None = None) -> None:
        """Choose an answers file and open it."""

    def open_draft(self, saved: SavedDraft) -> None:
        """Continue a draft."""

    def resume(self) -> None:
        """Switch to the answers that wait for a save or a dialog, if any."""

    def keep_last(self, then: Callable[[Path | None, str], None]) -> None:
        """Save the last draft and pass its answers file, or the error, to ``then``."""


class StepView(Protocol):
    """The open step, as the app's controllers and dialogs see it."""

    STEP: ClassVar[str]

    @property
    def is_active(self) -> bool:
        """True while no dialog covers the step."""
        ...

    def show_status(self, text: str, tone: Tone = "") -> None:
        """Show a text in the status line."""

    def follow(self) -> None:
        """Refresh everything that shows answers."""

    def follow_soon(self) -> None:
        """Refresh after the next paint."""

    def show_frame(self) -> None:
        """Update the bars."""

    def keys(self) -> tuple[str, ...]:
        """Return the keys of the step's questions."""
        ...

    def query(self, selector: Any = None) -> Any:
        """Find widgets, as in Textual."""
        ...


class Wizard(Protocol):
    """The entries of the app that a screen, a dialog or the palette may use."""

    session: Session
    core: Core

    @property
    def asking(self) -> SecretPrompts:
        """Prompts for secrets."""
        ...

    @property
    def files(self) -> Files:
        """Opening answers, and leaving them."""
        ...

    @property
    def saves(self) -> Saves:
        """Saving answers."""
        ...

    @property
    def leaving(self) -> Exit:
        """Exit from the wizard."""
        ...

    @property
    def step_screen(self) -> StepView | None:
        """The open step, perhaps below a dialog."""
        ...

    def change(self, key: str, value: Any) -> None:
        """Set an answer to a value of its type; None removes it."""

    def edit(self, working: WorkingCopy, *, soon: bool = False) -> None:
        """Replace the answers."""

    def go(self, step_id: str, key: str | None = None) -> None:
        """Open a step, with the focus on a question if given."""

    def judge(self, after: float = 0.0) -> None:
        """Validate the answers in the background."""

    def collect(self) -> None:
        """Collect garbage now."""

    def action_save(self) -> None:
        """Write the answers file."""

    def action_help(self) -> None:
        """Explain the step and the focused field."""

    def action_theme(self) -> None:
        """Switch between dark and light."""

    def action_leave(self) -> None:
        """Quit; ask first while an installation is running."""


class WizardHost(Wizard, Protocol):
    """The entries of the app that its controllers may use as well."""

    jobs: Jobs

    @property
    def screen(self) -> Screen[Any]:
        """The screen or dialog on top."""
        ...

    def push_screen(self, screen: Screen[T], callback: Callable[[T | None], Any] | None = None) -> object:
        """Show a dialog; ``callback`` gets its result."""
        ...

    def start_over(self, step_id: str, key: str | None = None) -> None:
        """Open a step for other answers and drop all screens of the previous ones."""

    def stop_jobs(self) -> None:
        """Stop all background jobs."""

    def call_next(self, callback: Callable[..., Any]) -> None:
        """Call a function after the message that is being handled."""

    def call_later(self, callback: Callable[..., Any], *args: Any) -> bool:
        """Call a function after all waiting messages."""
        ...

    def call_from_thread(self, callback: Callable[..., T], *args: Any) -> T:
        """Call a function in the app's thread from another one."""
        ...

    def exit(self, result: Any = None, return_code: int = 0) -> None:
        """End the app."""


class NodesView(Protocol):
    """The step Nodes, as its controllers see it."""

    jobs: Jobs

    @property
    def is_active(self) -> bool:
        """True while no dialog covers the step."""
        ...

    @property
    def core(self) -> Core:
        """The only access to everything below the wizard."""
        ...

    @property
    def wizard(self) -> Wizard:
        """The app."""
        ...

    @property
    def working(self) -> WorkingCopy:
        """The current answers."""
        ...

    def refused(self) -> bool:
        """Return whether an installation is running, and report it."""
        ...

    def open_dialog(self, dialog: ModalScreen[T], answered: Callable[[T | None], None]) -> None:
        """Show a dialog over the step; ``answered`` is called with its result."""

    def show_status(self, text: str, tone: Tone = "") -> None:
        """Show a text in the status line."""

    def show_nodes(self) -> None:
        """Show the table and the details."""

    def show_soon(self) -> None:
        """Show them soon, at most ten times a second."""

    def start(self, name: str, job: Job) -> Stop:
        """Run a job in a thread."""
        ...
