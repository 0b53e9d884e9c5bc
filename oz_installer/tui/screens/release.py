"""The release step: release, engine, components and broker; conflicts are greyed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from oz_installer.tui.messages import JobFinished, Validation
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.steps import keys_of
from oz_installer.tui.widgets.choice import Option
from oz_installer.tui.widgets.field import ChoiceField
from oz_installer.tui.widgets.form import Form

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy

_KEYS = keys_of("release")
COMPONENTS = tuple(key for key in _KEYS if key.startswith("components."))
BROKER = tuple(key for key in _KEYS if key.startswith("broker."))
TOP = tuple(key for key in _KEYS if key not in (*COMPONENTS, *BROKER))


class ReleaseScreen(StepScreen):
    """Questions about release and engine, components and broker."""

    STEP: ClassVar[str] = "release"

    def __init__(self) -> None:
        super().__init__()
        self._options: tuple[Option, ...] = ()

    def body(self) -> ComposeResult:
        """Compose three groups of questions."""
        release = self.working.get("release")
        yield Form(*TOP, options={"release": [Option(value=release, label=str(release))]})
        yield Static("Components", classes="heading", markup=False)
        yield Form(*COMPONENTS, loud=COMPONENTS)
        yield Static("Message broker", classes="heading", markup=False)
        yield Form(*BROKER)

    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Read the releases of the catalogue once."""
        if not self._options and not self.jobs.running("releases"):
            self.start("releases", lambda _post, _stop: self.core.releases())

    def receive(self, report: object) -> None:
        """Offer the releases of the catalogue as options."""
        if isinstance(report, JobFinished):
            self._options = tuple(Option(value=one.name, label=one.title) for one in report.result)
            for field in self.query(ChoiceField).results(ChoiceField):
                if field.key == "release":
                    field.given_options = self._options
            self.follow()
