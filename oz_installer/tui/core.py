"""Contract between the screens and the core: calls, and the reports that jobs send.

``cli`` passes the core in; tests pass a fake. Calls that take time, read, write or connect run in jobs
(``StepScreen.start``, see ``jobs.py``), which send frozen reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING, Protocol

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


class AdviceApi(Protocol):
    """Validation, allowed values, topology and sizes: quick and pure."""

    def validate(self, working: WorkingCopy) -> tuple[Problem, ...]:
        """Return all problems in file order.

        Rules over several fields apply once each field is valid; requirements of a component always.
        """
        ...

    def allowed_values(self, working: WorkingCopy, keys: Sequence[str]) -> Mapping[str, AllowedValues]:
        """Return the allowed values of these questions, given all other answers."""
        ...

    def missing_reason(self, working: WorkingCopy, key: str) -> str | None:
        """Return why this question needs an answer; None when it is optional."""
        ...

    def role_assignment(self, working: WorkingCopy) -> RoleAssignment:
        """Return the role of each node, as far as it is known."""
        ...

    def topology(self, working: WorkingCopy) -> Topology | None:
        """Return the topology; None while answers are missing or wrong."""
        ...

    def size(self, workload: Workload) -> Sizing:
        """Return what a workload needs, by the vendor's formulas."""
        ...

    def scenarios(self) -> Mapping[str, Scenario]:
        """Return the vendor's scenarios by name."""
        ...

    def releases(self) -> Sequence[Release]:
        """Return the releases of the catalogue, oldest first."""
        ...

    def bundles(self, working: WorkingCopy) -> Mapping[str, Mapping[str, str]]:
        """Return the files of each node, path → text, secrets masked."""
        ...


class AnswersApi(Protocol):
    """Files of the operator: answers, drafts, the picture, SSH hosts."""

    def exists(self, path: Path) -> bool:
        """Return whether the path exists."""
        ...

    def file_problems(self, working: WorkingCopy, path: Path) -> tuple[Problem, ...]:
        """Return problems of the local files that the answers of ``path`` name."""
        ...

    def answers_files(self, folder: Path) -> tuple[Path, ...]:
        """Return the files of the folder that look like answers, sorted."""
        ...

    def read(self, path: Path) -> tuple[WorkingCopy, str]:
        """Read answers, complete or not; return them and the file's text."""
        ...

    def save_answers(
        self, working: WorkingCopy, path: Path, source: str | None = None, opened: Path | None = None
    ) -> WorkingCopy:
        """Write the answers file and, next to it, typed secrets in separate files.

        ``opened`` is the file that the answers come from: its secrets and relative paths move along.
        """
        ...

    def save_draft(self, working: WorkingCopy, target: Path, step: str) -> SavedDraft:
        """Save a draft without secrets."""
        ...

    def load_draft(self, saved: SavedDraft) -> WorkingCopy:
        """Read the answers of a draft."""
        ...

    def drafts(self) -> tuple[SavedDraft, ...]:
        """Return all drafts, newest first."""
        ...

    def delete_own_draft(self, target: Path) -> None:
        """Delete this wizard's draft of that answers file, if there is one."""
        ...

    def release_draft(self, target: Path) -> None:
        """Release this wizard's draft of that answers file, so that another wizard may open it."""
        ...

    def delete_draft(self, saved: SavedDraft) -> None:
        """Delete a draft unless another wizard is editing it."""
        ...

    def write_svg(self, topology: Topology, path: Path) -> None:
        """Write the topology as SVG."""
        ...

    def ssh_config_hosts(self) -> tuple[SshHost, ...]:
        """Return the hosts of ~/.ssh/config."""
        ...


class ProbeApi(Protocol):
    """Tests from the nodes before anything is changed."""

    def probe_nodes(
        self,
        working: WorkingCopy,
        path: Path,
        names: Sequence[str],
        on_tried: Callable[[NodeProbe], None],
        stop: Stop,
    ) -> None:
        """Connect to nodes in parallel and read their facts."""
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


class OperationsApi(Protocol):
    """An installation: compare, check, apply, read what runs."""

    def prepare(
        self,
        path: Path,
        stop: Stop,
        emit: Callable[[Event], None] | None = None,
        working: WorkingCopy | None = None,
    ) -> Prepared:
        """Connect, read facts and plan; change nothing. ``emit`` gets the events of its phases.

        ``working`` are unsaved answers to use in place of those in the file."""
        ...

    def with_diffs(self, prepared: Prepared, stop: Stop) -> Plan:
        """Return the plan with the diff of every file, secrets masked."""
        ...

    def check(
        self,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: Stop,
        working: WorkingCopy | None = None,
    ) -> None:
        """Run every check on all nodes in parallel; an unreachable node is a finding.

        ``working`` are unsaved answers to use in place of those in the file."""
        ...

    def run_checks(self, prepared: Prepared, on_finding: Callable[[Finding], None], stop: Stop) -> None:
        """Run every check over the connections of a prepared run."""
        ...

    def apply(self, prepared: Prepared, on_event: Callable[[Event], None], stop: Stop) -> None:
        """Apply the plan."""
        ...

    def summarise(self, prepared: Prepared, stop: Stop) -> Summary:
        """Return the status of all services."""
        ...


class Core(AdviceApi, AnswersApi, ProbeApi, OperationsApi, Protocol):
    """Everything that the wizard may ask for. Methods that can fail raise OzError.

    Message and hint of the error are shown. Whatever takes a ``stop`` ends soon after it is set. ``ask`` and
    ``ask_code`` are set by the wizard: they prompt the operator for a secret, once, or for a code, every
    time, and are called in jobs only.
    """

    ask: Ask | None
    ask_code: Ask | None
