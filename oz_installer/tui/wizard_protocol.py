"""The protocols of the app: what screens, dialogs and the palette may use, and what its controllers may.

They keep the imports free of circles: the app imports screens and controllers, which import this file only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.secret import Secret
    from oz_installer.tui.core import Core
    from oz_installer.tui.jobs import Job, Jobs
    from oz_installer.tui.session import Session
    from oz_installer.tui.widgets.frame import Tone

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ExitGuard:
    """Something that must not be cut off. ``question`` is asked before ``stop`` is called."""

    question: str
    stop: Callable[[], None]


class Exit(Protocol):
    """Leaving the wizard, and what must end before."""

    @property
    def held(self) -> bool:
        """Whether something must not be cut off."""

    def hold(self, hold: ExitGuard) -> None:
        """Do not leave without asking, until ``release``."""

    def release(self) -> None:
        """What was held has ended."""


class Secrets(Protocol):
    """The secrets that the operator was asked for."""

    def __call__(self, label: str) -> Secret:
        """Ask for one, in a job only. Raises AnswersError when the operator gives none."""

    def forget(self, node: str | None = None) -> None:
        """Ask again next time, for all secrets or for those of one node."""

    def cancel_pending(self) -> None:
        """Answer with nothing whatever is asked for now."""

    def end(self) -> None:
        """Answer with nothing from now on."""


class Files(Protocol):
    """Opening and saving answers."""

    @property
    def all_saved(self) -> bool:
        """Whether the answers file holds what is on the screen."""

    @property
    def writing(self) -> Path | None:
        """The answers file that is being written now."""

    @property
    def writes_all(self) -> bool:
        """Whether what is being written is what is on the screen."""

    def begin(self) -> None:
        """Begin a new installation."""

    def ask_to_open(self, step_id: str | None = None) -> None:
        """Choose an answers file, and open it."""

    def open_draft(self, saved: SavedDraft) -> None:
        """Continue with a draft."""

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Write the answers; call ``then`` once they are written."""

    def save_elsewhere(self) -> None:
        """Ask where, and write the answers there."""

    def go_on(self) -> None:
        """Open the other answers that wait for a save or a dialog, if any."""

    def keep_last(self, then: Callable[[Path | None, str], None]) -> None:
        """Keep a draft for good; ``then`` learns of which answers file, or why not."""


class StepView(Protocol):
    """The step that is open, as the app's controllers and dialogs see it."""

    STEP: ClassVar[str]

    @property
    def is_active(self) -> bool:
        """Whether it is on top, with no dialog before it."""

    def say(self, text: str, tone: Tone = "") -> None:
        """Write one line above the keys."""

    def follow(self) -> None:
        """Show the answers as they are now."""

    def follow_soon(self) -> None:
        """Show them as soon as what was edited is on the screen."""

    def show_frame(self) -> None:
        """Show the bars."""

    def keys(self) -> tuple[str, ...]:
        """Return the questions that are asked there."""

    def query(self, selector: Any = None) -> Any:
        """Find widgets, as in Textual."""


class Wizard(Protocol):
    """The entries of the app that a screen, a dialog or the palette may use."""

    session: Session
    core: Core

    @property
    def asking(self) -> Secrets:
        """The secrets that the operator was asked for."""

    @property
    def files(self) -> Files:
        """Opening and saving answers."""

    @property
    def leaving(self) -> Exit:
        """Leaving the wizard."""

    @property
    def step_screen(self) -> StepView | None:
        """The step that is open, perhaps below a dialog."""

    def change(self, key: str, value: Any) -> None:
        """Give an answer of the right type (None: leave it out)."""

    def edit(self, working: WorkingCopy, *, soon: bool = False) -> None:
        """Replace the answers."""

    def go(self, step_id: str, key: str | None = None) -> None:
        """Open a step, with the cursor on a question's field."""

    def judge(self, after: float = 0.0) -> None:
        """Validate the answers in the background."""

    def collect(self) -> None:
        """Collect garbage now."""

    def action_save(self) -> None:
        """Write the answers file."""

    def action_help(self) -> None:
        """Explain the step and the field that has the cursor."""

    def action_theme(self) -> None:
        """Switch between dark and light."""

    def action_leave(self) -> None:
        """Leave; ask when something is at work."""


class WizardHost(Wizard, Protocol):
    """The entries of the app that its controllers may use as well."""

    jobs: Jobs

    @property
    def screen(self) -> Screen[Any]:
        """The screen or dialog on top."""

    def push_screen(self, screen: Screen[T], callback: Callable[[T | None], Any] | None = None) -> object:
        """Show a dialog; ``callback`` gets its result."""

    def start_over(self, step_id: str, key: str | None = None) -> None:
        """Open a step of other answers; no screen remembers anything."""

    def stop_jobs(self) -> None:
        """Ask everything that works in the background to stop."""

    def call_next(self, callback: Callable[..., Any]) -> None:
        """Call something behind the message that is being handled."""

    def call_later(self, callback: Callable[..., Any], *args: Any) -> bool:
        """Call something behind the messages that wait."""

    def call_from_thread(self, callback: Callable[..., T], *args: Any) -> T:
        """Call something in the app's thread, from another one."""

    def exit(self, result: Any = None, return_code: int = 0) -> None:
        """End the app."""


class NodesView(Protocol):
    """The step Nodes, as its controllers see it."""

    jobs: Jobs

    @property
    def is_active(self) -> bool:
        """Whether it is on top, with no dialog before it."""

    @property
    def app(self) -> App[Any]:
        """The app, as Textual knows it."""

    @property
    def core(self) -> Core:
        """The only door to the rest."""

    @property
    def wizard(self) -> Wizard:
        """The app."""

    @property
    def working(self) -> WorkingCopy:
        """The answers now."""

    def refused(self) -> bool:
        """Return whether an installation is at work, and say so."""

    def say(self, text: str, tone: Tone = "") -> None:
        """Write one line above the keys."""

    def show_nodes(self) -> None:
        """Show the table and what stands around it."""

    def show_soon(self) -> None:
        """Show them ten times a second at most."""

    def start(self, name: str, job: Job) -> Stop:
        """Run a job in a thread."""
