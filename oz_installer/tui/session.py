"""What the wizard knows, without any widget: the answers, where they belong, how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from oz_installer.tui.steps import STEPS, problems_of, step

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.errors import Problem
    from oz_installer.tui.core import AnswersOpened, AnswersSaved, Installed, Validation

NEW_FILE = Path("answers.yml")
"""Where a new installation's answers go unless the operator says otherwise."""


@dataclass(frozen=True, kw_only=True)
class StepState:
    """How a step stands, as a sign; ``problems`` counts what is wrong in it."""

    mark: Literal["done", "now", "!", "-"]
    problems: int = 0

    @property
    def words(self) -> str:
        """As the side bar writes it."""
        return f"! {self.problems}" if self.problems else self.mark


class Session:
    """One use of the wizard. ``judged`` belongs to a state of the answers that may be a moment old;
    ``identity`` is another object as soon as other answers are open, ``managed`` are answers that were opened
    to look at what runs already, ``declined`` is a draft of them that the operator did not want."""

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
        self._working: WorkingCopy | None = None
        self._kept: WorkingCopy | None = None

    @cached_property
    def _new(self) -> WorkingCopy:
        from oz_installer.answers.drafts.working_copy import WorkingCopy  # not before the first frame

        return WorkingCopy.new()

    @property
    def working(self) -> WorkingCopy:
        """The answers now."""
        return self._new if self._working is None else self._working

    @working.setter
    def working(self, working: WorkingCopy) -> None:
        self._working = working

    @property
    def ready(self) -> bool:
        """Whether the preflight of these very answers found no failure; what is accepted does not matter."""
        return self.preflight_passed_for is not None and self.preflight_passed_for == self.working.without(
            "accept"
        )

    @property
    def is_open(self) -> bool:
        """Whether answers are edited, new ones or a file's."""
        return self._working is not None or self.is_file

    @property
    def has_unsaved_changes(self) -> bool:
        """Whether there is something that no answers file has yet."""
        kept = self._new if self._kept is None and self._working is not None else self._kept
        return self._working is not None and self._working != kept

    def reset(self, path: Path | None = None) -> None:
        """Start over with no answers."""
        self.__init__(path)  # type: ignore[misc]

    def open(self, opened: AnswersOpened) -> None:
        """Go on with answers that were read."""
        self.reset(opened.path)
        self.working, self.source = opened.working, opened.source
        self.is_file = opened.source is not None
        self.declined = opened.declined
        self.opened_to_manage = opened.step == "done" and not opened.draft
        self._kept = None if opened.draft else opened.working
        if opened.draft or opened.source is not None:
            self.visited = {one.id for one in STEPS if one.owns and one.id != "preflight"}
        if opened.source is None:  # nobody has answered yet what a draft says nothing of
            self.visited = {one for one in self.visited if self._answered(one)}

    def keep(self, kept: AnswersSaved) -> None:
        """The answers were written. What was typed meanwhile stays, and is not kept yet."""
        if self.working == kept.written:
            self.working = kept.working
        self.path, self.source, self.is_file = kept.path, kept.source, True
        self._kept = kept.working
        if self.declined is not None and self.declined.target == kept.path:
            self.declined = None

    def problems(self, step_id: str) -> tuple[Problem, ...]:
        """What is to be mended in a step, as last judged."""
        return problems_of(step_id, self.judged.all_problems) if self.judged else ()

    def state(self, step_id: str, now: str) -> StepState:
        """How a step stands while ``now`` is open. A step that was not opened yet is not blamed."""
        count = len(self.problems(step_id)) if step_id in self.visited else 0
        if step_id == now:
            return StepState(mark="now", problems=count)
        if count:
            return StepState(mark="!", problems=count)
        return StepState(mark="done" if self._is_done(step_id) else "-")

    def _is_done(self, step_id: str) -> bool:
        """Steps that do something are done once that was done, not when they were walked past."""
        if step_id == "preflight":
            return self.ready
        if step_id in ("install", "done"):
            return self.installed is not None and step_id in self.visited
        return step_id in self.visited

    def _answered(self, step_id: str) -> bool:
        """Whether the answers say something of a step."""
        return step_id == "start" or any(self.working.is_given(name) for name in step(step_id).owns)
