"""State of the wizard without widgets: the answers, their file, the progress of each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from oz_installer.tui.steps import STEPS, problems_of, step

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.checks.context import Finding
    from oz_installer.errors import Problem
    from oz_installer.tui.messages import AnswersOpened, AnswersSaved, Installed, Validation

NEW_FILE = Path("answers.yml")
"""Default file for the answers of a new installation."""


@dataclass(frozen=True, kw_only=True)
class StepState:
    """State of a step as a sign; ``problems`` counts its problems."""

    mark: Literal["done", "now", "!", "-"]
    problems: int = 0

    @property
    def label(self) -> str:
        """Text for the side bar."""
        return f"! {self.problems}" if self.problems else self.mark


class Session:
    """The answers being edited, and what is known about them.

    ``judged`` may be the validation of slightly older answers. ``identity`` changes when other answers
    are opened. ``opened_to_manage``: opened to see a running installation. ``declined`` is a draft that
    the operator did not want.
    """

    def __init__(self, path: Path | None) -> None:
        self.identity = object()
        self.path = path or NEW_FILE.absolute()
        self.source: str | None = None
        self.is_file = False
        self.opened_to_manage = False
        self.declined: SavedDraft | None = None
        self.visited: set[str] = set()
        self.judged: Validation | None = None
        self.files: tuple[Problem, ...] = ()
        self.installed: Installed | None = None
        self.preflight_passed_for: WorkingCopy | None = None
        self.preflight_warnings: tuple[Finding, ...] = ()
        self._working: WorkingCopy | None = None
        self._kept: WorkingCopy | None = None

    @cached_property
    def _new(self) -> WorkingCopy:
        from oz_installer.answers.drafts.working_copy import WorkingCopy  # not before the first frame

        return WorkingCopy.new()

    @property
    def working(self) -> WorkingCopy:
        """The current answers."""
        return self._new if self._working is None else self._working

    @working.setter
    def working(self, working: WorkingCopy) -> None:
        self._working = working

    @property
    def accepted(self) -> tuple[str, ...]:
        """Ids of the warnings that the answers accept."""
        given: Sequence[str] | None = self.working.get("accept")
        return tuple(given or ())

    @property
    def open_warnings(self) -> tuple[Finding, ...]:
        """Warnings of the last preflight that the answers do not accept."""
        return tuple(one for one in self.preflight_warnings if not one.is_accepted(self.accepted))

    @property
    def ready(self) -> bool:
        """True if the preflight of exactly these answers, ``accept`` aside, found no failure."""
        return self.preflight_passed_for is not None and self.preflight_passed_for == self.working.without(
            "accept"
        )

    @property
    def is_open(self) -> bool:
        """True while answers are being edited, new ones or those of a file."""
        return self._working is not None or self.is_file

    @property
    def has_unsaved_changes(self) -> bool:
        """True while the answers differ from the file."""
        kept = self._new if self._kept is None and self._working is not None else self._kept
        return self._working is not None and self._working != kept

    def reset(self, path: Path | None = None) -> None:
        """Start over without answers."""
        self.__init__(path)  # type: ignore[misc]

    def open(self, opened: AnswersOpened) -> None:
        """Replace the answers by ones that were read."""
        self.reset(opened.path)
        self.working, self.source = opened.working, opened.source
        self.is_file = opened.source is not None
        self.declined = opened.declined
        self.opened_to_manage = opened.step == "done" and not opened.draft
        self._kept = None if opened.draft else opened.working
        if opened.draft or opened.source is not None:
            self.visited = {one.id for one in STEPS if one.owns and one.id != "preflight"}
        if opened.source is None:  # steps without answers in a draft were not visited
            self.visited = {one for one in self.visited if self._answered(one)}

    def keep(self, kept: AnswersSaved) -> None:
        """Record saved answers; later edits stay unsaved."""
        if self.working == kept.written:
            self.working = kept.working
        self.path, self.source, self.is_file = kept.path, kept.source, True
        self._kept = kept.working
        if self.declined is not None and self.declined.target == kept.path:
            self.declined = None

    def problems(self, step_id: str) -> tuple[Problem, ...]:
        """Return the problems of a step in the last validation."""
        return problems_of(step_id, self.judged.all_problems) if self.judged else ()

    def state(self, step_id: str, now: str) -> StepState:
        """Return the state of a step while ``now`` is open. An unopened step shows no problems."""
        count = len(self.problems(step_id)) if step_id in self.visited else 0
        if step_id == now:
            return StepState(mark="now", problems=count)
        if count:
            return StepState(mark="!", problems=count)
        return StepState(mark="done" if self._is_done(step_id) else "-")

    def _is_done(self, step_id: str) -> bool:
        """Return whether a step is done; Preflight, Install and Done must have run."""
        if step_id == "preflight":
            return self.ready
        if step_id in ("install", "done"):
            return self.installed is not None and step_id in self.visited
        return step_id in self.visited

    def _answered(self, step_id: str) -> bool:
        """Return whether the step has any answer."""
        return step_id == "start" or any(self.working.is_given(name) for name in step(step_id).owns)
