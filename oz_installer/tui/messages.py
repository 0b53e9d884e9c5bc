"""Messages of jobs to the app and the screens. Frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oz_installer.errors import Problem

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.installation.wizard.choices import AllowedValues
    from oz_installer.topology.summary import Summary


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Problems and allowed values of one state of the answers.

    Problems in ``files`` concern files that the answers name; they do not make the answers invalid.
    """

    working: WorkingCopy = field(repr=False)
    problems: tuple[Problem, ...] = ()
    files: tuple[Problem, ...] = ()
    """As last read, in a separate job, because a disk may hang."""
    allowed_values: Mapping[str, AllowedValues] = field(default_factory=dict)

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """Problems of answers and files."""
        return (*self.problems, *self.files)

    def problem(self, key: str) -> Problem | None:
        """Return the first problem of a key or of the keys below it."""
        for problem in self.problems:
            if problem.key == key or problem.key.startswith((f"{key}.", f"{key}[")):
                return problem
        return None

    def file_problem(self, key: str) -> Problem | None:
        """Return the problem of the file that the answer names."""
        return next((problem for problem in self.files if problem.key == key), None)

    def allowed(self, key: str) -> AllowedValues | None:
        """Return the allowed values of a question; None when nothing is barred."""
        return self.allowed_values.get(key)


@dataclass(frozen=True, kw_only=True)
class AnswersOpened:
    """Answers were read. ``source`` is the file's text.

    Without ``step`` the first step with a problem is opened. ``declined`` is a draft that the operator
    did not want.
    """

    working: WorkingCopy = field(repr=False)
    path: Path
    source: str | None = field(default=None, repr=False)
    step: str | None = None
    draft: bool = False
    declined: SavedDraft | None = None


@dataclass(frozen=True, kw_only=True)
class DraftFound:
    """An answers file has a draft, so it is not open yet. ``step`` is the step to open later."""

    saved: SavedDraft
    step: str | None = None


@dataclass(frozen=True, kw_only=True)
class AnswersSaved:
    """The answers file was written from ``written``; ``working`` are its answers now."""

    working: WorkingCopy = field(repr=False)
    written: WorkingCopy = field(repr=False)
    path: Path
    source: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SaveConflict:
    """The answers were not written: the file exists or, with ``changed``, was edited elsewhere."""

    path: Path
    changed: bool = False


@dataclass(frozen=True, kw_only=True)
class JobFailed:
    """A job ended with an error."""

    job: str
    message: str
    hint: str = ""
    details: str = ""


@dataclass(frozen=True, kw_only=True)
class JobFinished:
    """A job ended; ``result`` is its return value."""

    job: str
    result: Any = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """Result of an installation or of reading its status (``at``, seconds since the epoch).

    ``trouble`` is why there is no summary, ``changes`` the total of pending changes.
    """

    path: Path
    summary: Summary | None = None
    trouble: str = ""
    changes: str = ""
    at: float | None = None
