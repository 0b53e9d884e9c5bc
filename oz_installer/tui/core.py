"""Between the screens and the core: what screens may ask for, and the news that jobs tell.

The core is handed in by ``cli``; tests hand in a fake. What takes time, and all that reads, writes or
connects, is called in jobs (``StepScreen.start``, see ``jobs.py``), which tell frozen news.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING, Any, Protocol

from oz_installer.errors import Problem

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.answers.secrets.resolve import Ask
    from oz_installer.answers.sections import Workload
    from oz_installer.catalog.release import Release
    from oz_installer.catalog.scenario import Scenario
    from oz_installer.catalog.sizing import Sizing
    from oz_installer.checks.context import Finding
    from oz_installer.deploy.events import Event
    from oz_installer.deploy.plan import Plan
    from oz_installer.installation.prepare import Prepared
    from oz_installer.installation.wizard.choices import AllowedValues
    from oz_installer.installation.wizard.probe import NodeProbe, ProbedSection, SshHost
    from oz_installer.installation.wizard.role_assignment import RoleAssignment
    from oz_installer.topology.model import Topology
    from oz_installer.topology.summary import Summary


class Core(Protocol):
    """All that the wizard can ask for. Whoever may fail raises OzError: message and hint are shown. Whatever
    takes a ``stop`` ends soon after it is set.

    ``ask`` is set by the wizard: it asks the operator for a secret, and is called in jobs only.
    """

    ask: Ask | None

    # --- quick and pure -------------------------------------------------------------------------------
    def validate(self, working: WorkingCopy) -> tuple[Problem, ...]:
        """Everything that is wrong, in file order; what concerns the whole once each field is right, but what
        a component asks for at once."""
        ...

    def allowed_values(self, working: WorkingCopy, keys: Sequence[str]) -> Mapping[str, AllowedValues]:
        """What may be chosen for these questions, given all other answers."""
        ...

    def missing_reason(self, working: WorkingCopy, key: str) -> str | None:
        """What is wrong when this question is left out; None when it may be."""
        ...

    def role_assignment(self, working: WorkingCopy) -> RoleAssignment:
        """Which role each node gets, as far as that is known."""
        ...

    def topology(self, working: WorkingCopy) -> Topology | None:
        """What will run where; None while answers are missing or wrong."""
        ...

    def size(self, workload: Workload) -> Sizing:
        """What a workload needs, by the vendor's formulas."""
        ...

    def scenarios(self) -> Mapping[str, Scenario]:
        """The vendor's scenarios by name."""
        ...

    def releases(self) -> Sequence[Release]:
        """The catalogue's releases, oldest first."""
        ...

    def bundles(self, working: WorkingCopy) -> Mapping[str, Mapping[str, str]]:
        """Every node's files, path -> text, secrets masked."""
        ...

    # --- files of the operator ------------------------------------------------------------------------
    def exists(self, path: Path) -> bool:
        """Whether something stands there."""
        ...

    def file_problems(self, working: WorkingCopy, path: Path) -> tuple[Problem, ...]:
        """What is wrong with the files on this machine that the answers of ``path`` name."""
        ...

    def answers_files(self, folder: Path) -> tuple[Path, ...]:
        """Files of that folder which look like answers, sorted."""
        ...

    def read(self, path: Path) -> tuple[WorkingCopy, str]:
        """Answers of a file, complete or not, and its text."""
        ...

    def save_answers(
        self, working: WorkingCopy, path: Path, source: str | None = None, opened: Path | None = None
    ) -> WorkingCopy:
        """Write the answers file, and typed secrets to files of their own beside it. ``opened`` is the file
        that they come from: secrets and paths beside that one go along."""
        ...

    def save_draft(self, working: WorkingCopy, target: Path, step: str) -> SavedDraft:
        """Keep a draft without secrets."""
        ...

    def load_draft(self, saved: SavedDraft) -> WorkingCopy:
        """What a draft holds."""
        ...

    def drafts(self) -> tuple[SavedDraft, ...]:
        """All drafts, newest first."""
        ...

    def delete_own_draft(self, target: Path) -> None:
        """Remove this wizard's draft of that answers file, if there is one."""
        ...

    def release_draft(self, target: Path) -> None:
        """This wizard's draft of that answers file stays, but another wizard may go on with it."""
        ...

    def delete_draft(self, saved: SavedDraft) -> None:
        """Remove a draft, unless another wizard is at work on it."""
        ...

    def write_svg(self, topology: Topology, path: Path) -> None:
        """Write the topology as SVG."""
        ...

    def ssh_config_hosts(self) -> tuple[SshHost, ...]:
        """Hosts of ~/.ssh/config."""
        ...

    # --- outside, before anything is changed ----------------------------------------------------------
    def probe_nodes(
        self,
        working: WorkingCopy,
        path: Path,
        names: Sequence[str],
        on_tried: Callable[[NodeProbe], None],
        stop: Stop,
    ) -> None:
        """Connect to nodes, all at once, and look at them."""
        ...

    def probe_section(
        self,
        section: ProbedSection,
        working: WorkingCopy,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: Stop,
    ) -> None:
        """Log in to the database, or write to the storage, from every api node."""
        ...

    # --- an installation ------------------------------------------------------------------------------
    def prepare(self, path: Path, stop: Stop) -> Prepared:
        """Connect, look and plan; changes nothing."""
        ...

    def with_diffs(self, prepared: Prepared, stop: Stop) -> Plan:
        """The plan with the differences of every file, secrets masked."""
        ...

    def check(self, path: Path, on_finding: Callable[[Finding], None], stop: Stop) -> None:
        """Preflight by itself: every check, all nodes at once; a node that cannot be reached is a finding."""
        ...

    def run_checks(self, prepared: Prepared, on_finding: Callable[[Finding], None], stop: Stop) -> None:
        """The same over the connections of a run."""
        ...

    def apply(self, prepared: Prepared, on_event: Callable[[Event], None], stop: Stop) -> None:
        """Carry the plan out."""
        ...

    def summarise(self, prepared: Prepared, stop: Stop) -> Summary:
        """What runs where now."""
        ...


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What is right and wrong with one state of the answers, and what may be chosen in it. ``files`` is about
    files that the answers name: answers are no worse for them."""

    working: WorkingCopy = field(repr=False)
    problems: tuple[Problem, ...] = ()
    files: tuple[Problem, ...] = ()
    """Of files that the answers name: as last looked at, which is a job of its own, for a disk may hang."""
    allowed_values: Mapping[str, AllowedValues] = field(default_factory=dict)

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """All that is to be mended."""
        return (*self.problems, *self.files)

    def problem(self, key: str) -> Problem | None:
        """The first problem of a question, or of what stands below it."""
        for problem in self.problems:
            if problem.key == key or problem.key.startswith((f"{key}.", f"{key}[")):
                return problem
        return None

    def file_problem(self, key: str) -> Problem | None:
        """What is wrong with the file that a question is answered with."""
        return next((problem for problem in self.files if problem.key == key), None)

    def allowed(self, key: str) -> AllowedValues | None:
        """What may be chosen for a question; None when nothing is barred."""
        return self.allowed_values.get(key)


@dataclass(frozen=True, kw_only=True)
class AnswersOpened:
    """Answers were read. ``source`` is the file's text; without ``step`` it goes where it is needed first.
    ``declined`` is a draft of them that the operator did not want."""

    working: WorkingCopy = field(repr=False)
    path: Path
    source: str | None = field(default=None, repr=False)
    step: str | None = None
    draft: bool = False
    declined: SavedDraft | None = None


@dataclass(frozen=True, kw_only=True)
class DraftFound:
    """An answers file was not opened yet: there is a draft of it. ``step`` is where opening it would lead."""

    saved: SavedDraft
    step: str | None = None


@dataclass(frozen=True, kw_only=True)
class AnswersSaved:
    """The answers file was written; ``working`` is what it says now, ``written`` what it was made from."""

    working: WorkingCopy = field(repr=False)
    written: WorkingCopy = field(repr=False)
    path: Path
    source: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SaveConflict:
    """The answers were not written: another file stands there, or (``changed``) another text in this one."""

    path: Path
    changed: bool = False


@dataclass(frozen=True, kw_only=True)
class JobFailed:
    """A worker's job ended with an error that the operator may read."""

    job: str
    message: str
    hint: str = ""
    details: str = ""


@dataclass(frozen=True, kw_only=True)
class JobFinished:
    """A worker's job has ended without an error; ``result`` is what it returned."""

    job: str
    result: Any = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """Answers were carried out, or looked at again (``at``, seconds since the epoch). ``trouble`` says why
    there is no summary, ``changes`` what installing them once more would change."""

    path: Path
    summary: Summary | None = None
    trouble: str = ""
    changes: str = ""
    at: float | None = None
