"""Cores for the wizard's tests: ``outside`` scripts what the nodes say.

``FakeCore`` has no files either, and notes what it was asked; ``FilesCore`` reads and writes real ones.
Judging, choices, topology and sizing are the real, pure ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import parse_text
from oz_installer.deploy.events import PhaseStarted
from oz_installer.errors import AnswersError
from oz_installer.installation.wizard.core import InstallerCore
from oz_installer.installation.wizard.pure_core import OfflineCore

if TYPE_CHECKING:
    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.secrets.resolve import Ask
    from oz_installer.checks.context import Finding
    from oz_installer.deploy.events import Event
    from oz_installer.deploy.plan import Plan
    from oz_installer.errors import Problem
    from oz_installer.installation.platform import Opener
    from oz_installer.installation.prepare import Prepared
    from oz_installer.installation.wizard.probe import NodeProbe, SshHost
    from oz_installer.topology.model import Topology
    from oz_installer.topology.summary import Summary


@dataclass
class Outside:
    """What the core reports about the nodes, in this order, each after ``pace`` seconds."""

    tried: list[NodeProbe] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    hosts: tuple[SshHost, ...] = ()
    prepared: Any = None
    plan: Any = None
    summary: Any = None
    failure: Exception | None = None
    pace: float = 0.0
    unsaved: list[WorkingCopy | None] = field(default_factory=list)
    """The answers that were given in place of the file's, a call each."""


class Scripted:
    """Answers every question to the nodes from ``outside``."""

    outside: Outside

    def ssh_config_hosts(self) -> tuple[SshHost, ...]:
        """As scripted."""
        return self.outside.hosts

    def probe_nodes(
        self,
        working: WorkingCopy,
        path: Path,
        names: Sequence[str],
        on_tried: Callable[[NodeProbe], None],
        stop: threading.Event,
    ) -> None:
        """Report the results of ``node_probes``."""
        self._report(self.node_probes(working, names), on_tried, stop)

    def node_probes(self, working: WorkingCopy, names: Sequence[str]) -> Iterable[NodeProbe]:
        """Return the scripted results of these nodes; subclasses have their own."""
        return [one for one in self.outside.tried if one.node in names]

    def probe_section(
        self,
        section: str,
        working: WorkingCopy,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: threading.Event,
    ) -> None:
        """Report what is scripted."""
        self._report(self.outside.findings, on_finding, stop)

    def prepare(
        self,
        path: Path,
        stop: threading.Event,
        emit: Callable[[Event], None] | None = None,
        working: WorkingCopy | None = None,
    ) -> Prepared:
        """As scripted."""
        self.outside.unsaved.append(working)
        if emit is not None:
            emit(PhaseStarted(phase="Read facts", number=2, of=2))
        if self.outside.failure is not None:
            raise self.outside.failure
        prepared: Prepared = self.outside.prepared
        return prepared

    def with_diffs(self, prepared: Prepared, stop: threading.Event) -> Plan:
        """As scripted."""
        plan: Plan = self.outside.plan
        return plan

    def check(
        self,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: threading.Event,
        working: WorkingCopy | None = None,
    ) -> None:
        """As over prepared connections, which fail where connecting does."""
        self.run_checks(self.prepare(path, stop, None, working), on_finding, stop)

    def run_checks(
        self, prepared: Prepared, on_finding: Callable[[Finding], None], stop: threading.Event
    ) -> None:
        """Report what is scripted."""
        self._report(self.outside.findings, on_finding, stop)

    def apply(self, prepared: Prepared, on_event: Callable[[Event], None], stop: threading.Event) -> None:
        """Report what is scripted."""
        self._report(self.outside.events, on_event, stop)

    def summarise(self, prepared: Prepared, stop: threading.Event) -> Summary:
        """As scripted."""
        summary: Summary = self.outside.summary
        return summary

    def _report(self, reports: Iterable[Any], report: Callable[[Any], None], stop: threading.Event) -> None:
        for one in reports:
            if stop.wait(self.outside.pace):
                return
            report(one)
        if self.outside.failure is not None:
            raise self.outside.failure


class FakeCore(Scripted, OfflineCore):
    """``files`` maps paths to texts; ``kept`` and ``drafted`` record what was written, by path."""

    def __init__(self, files: Mapping[Path, str] | None = None) -> None:
        self.files = dict(files or {})
        self.outside = Outside()
        self.kept: dict[Path, WorkingCopy] = {}
        self.drafted: dict[Path, tuple[WorkingCopy, str]] = {}
        self.unread: tuple[Problem, ...] = ()
        self.refused: dict[Path, AnswersError] = {}
        self.undraftable: AnswersError | None = None
        self.pictures: dict[Path, Topology] = {}
        self.calls: list[str] = []
        self.ask: Ask | None = None
        self.ask_code: Ask | None = None

    def exists(self, path: Path) -> bool:
        """Return whether ``files`` has it."""
        return path in self.files

    def file_problems(self, working: WorkingCopy, path: Path) -> tuple[Problem, ...]:
        """Return the problems scripted in ``unread``; the files of these answers do not exist."""
        return self.unread

    def answers_files(self, folder: Path) -> tuple[Path, ...]:
        """Return the paths of ``files`` in the folder."""
        return tuple(sorted(path for path in self.files if path.parent == folder))

    def read(self, path: Path) -> tuple[WorkingCopy, str]:
        """Return one of ``files``."""
        if path not in self.files:
            raise AnswersError(f"{path}: no such file", "name an answers file")
        return WorkingCopy.of(parse_text(self.files[path], str(path))), self.files[path]

    def save_answers(
        self, working: WorkingCopy, path: Path, source: str | None = None, opened: Path | None = None
    ) -> WorkingCopy:
        """Record the save, or raise the error of ``refused``."""
        self.calls.append(f"keep {path}")
        if path in self.refused:
            raise self.refused[path]
        self.kept[path] = working
        self.files[path] = working.yaml()
        return working

    def save_draft(self, working: WorkingCopy, target: Path, step: str) -> SavedDraft:
        """Note it."""
        from oz_installer.answers.drafts.store import SavedDraft

        self.calls.append(f"draft {step}")
        if self.undraftable is not None:
            raise self.undraftable
        self.drafted[target] = (working, step)
        return SavedDraft(path=target.with_suffix(".draft"), target=target, saved_at=time.time(), step=step)

    def load_draft(self, saved: SavedDraft) -> WorkingCopy:
        """Return what was recorded."""
        return self.drafted[saved.target][0]

    def drafts(self) -> tuple[SavedDraft, ...]:
        """Return the recorded drafts."""
        from oz_installer.answers.drafts.store import SavedDraft

        return tuple(
            SavedDraft(path=target.with_suffix(".draft"), target=target, saved_at=time.time(), step=step)
            for target, (_, step) in self.drafted.items()
        )

    def delete_own_draft(self, target: Path) -> None:
        """Forget it."""
        self.calls.append(f"drop {target}")
        self.drafted.pop(target, None)

    def release_draft(self, target: Path) -> None:
        """Note it."""
        self.calls.append(f"let go {target}")

    def delete_draft(self, saved: SavedDraft) -> None:
        """Forget it."""
        self.drafted.pop(saved.target, None)

    def write_svg(self, topology: Topology, path: Path) -> None:
        """Note it."""
        self.pictures[path] = topology


class FilesCore(Scripted, InstallerCore):
    """Answers, secrets and drafts are real files."""

    def __init__(self) -> None:
        super().__init__(no_opener)
        self.outside = Outside()


def no_opener() -> Opener:
    """Refuse to connect."""
    raise AssertionError("a test connects to a node")
