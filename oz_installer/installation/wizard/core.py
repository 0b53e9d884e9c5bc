"""The core of the wizard; its interface is declared in ``tui/core.py``.

A module is loaded when it is first needed, so that the first frame does not wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING

from oz_installer.errors import AnswersError, DeployError
from oz_installer.installation.wizard.pure_core import OfflineCore

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from oz_installer.answers.drafts.store import SavedDraft
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.answers.file import LoadedAnswers
    from oz_installer.answers.secrets.resolve import Ask
    from oz_installer.checks.context import Finding
    from oz_installer.deploy.events import Event
    from oz_installer.deploy.plan import Plan
    from oz_installer.errors import Problem
    from oz_installer.installation.platform import Opener
    from oz_installer.installation.prepare import Prepared
    from oz_installer.installation.wizard.probe import NodeProbe, ProbedSection, SshHost
    from oz_installer.secret import Masker
    from oz_installer.topology.model import Topology
    from oz_installer.topology.summary import Summary

MOST_FILES = 200
"""Limit on the entries of a folder that are listed."""


class InstallerCore(OfflineCore):
    """The whole core.

    ``opener`` returns the function that opens connections; ``ask`` asks the operator for a secret, once, and
    ``ask_code`` for a code, every time.
    ``learn`` is called with the masker of the secrets, once they are known.
    """

    def __init__(self, opener: Callable[[], Opener], learn: Callable[[Masker], object] = bool) -> None:
        self._opener = opener
        self._learn = learn
        self.ask: Ask | None = None
        self.ask_code: Ask | None = None

    # --- files of the operator ------------------------------------------------------------------------
    def exists(self, path: Path) -> bool:
        """Return whether the path exists."""
        return os.path.lexists(path)

    def file_problems(self, working: WorkingCopy, path: Path) -> tuple[Problem, ...]:
        """Return the problems with local files that the answers of ``path`` name."""
        from oz_installer.installation.wizard.file_problems import file_problems

        return file_problems(working, path.parent)

    def answers_files(self, folder: Path) -> tuple[Path, ...]:
        """Return the YAML files of a folder, sorted."""
        try:
            names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
        except OSError:
            return ()
        return tuple(folder / name for name in names[:MOST_FILES] if name.endswith((".yml", ".yaml")))

    def read(self, path: Path) -> tuple[WorkingCopy, str]:
        """Return the answers of a file, complete or not, and its text."""
        from oz_installer.answers.drafts.working_copy import WorkingCopy
        from oz_installer.answers.file import parse_file

        draft = parse_file(path)
        return WorkingCopy.of(draft), path.read_text(encoding="utf-8-sig")

    def save_answers(
        self, working: WorkingCopy, path: Path, source: str | None = None, opened: Path | None = None
    ) -> WorkingCopy:
        """Write the answers file, and typed secrets to separate files next to it."""
        from oz_installer.answers.drafts.save import save_answers

        return save_answers(working, path, source, opened)

    def save_draft(self, working: WorkingCopy, target: Path, step: str) -> SavedDraft:
        """Save a draft without secrets."""
        from oz_installer.answers.drafts.store import save_draft

        return save_draft(working, target, step)

    def load_draft(self, saved: SavedDraft) -> WorkingCopy:
        """Return the answers of a draft."""
        from oz_installer.answers.drafts.store import load_draft

        return load_draft(saved)

    def drafts(self) -> tuple[SavedDraft, ...]:
        """Return all drafts, newest first."""
        from oz_installer.answers.drafts.store import list_drafts

        return list_drafts()

    def delete_own_draft(self, target: Path) -> None:
        """Delete this wizard's draft of an answers file, if there is one."""
        from oz_installer.answers.drafts.store import delete_own_draft

        delete_own_draft(target)

    def release_draft(self, target: Path) -> None:
        """Release this wizard's draft of an answers file, so that another wizard may continue it."""
        from oz_installer.answers.drafts.store import release_draft

        release_draft(target)

    def delete_draft(self, saved: SavedDraft) -> None:
        """Delete a draft, unless another wizard is using it."""
        from oz_installer.answers.drafts.store import delete_draft

        delete_draft(saved)

    def write_svg(self, topology: Topology, path: Path) -> None:
        """Write the topology as SVG. Raises AnswersError when it cannot be written."""
        from oz_installer.topology.drawing.svg import draw_svg

        try:
            path.write_text(draw_svg(topology), encoding="utf-8")
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise AnswersError(f"cannot write {path}: {reason}", "Name another file.") from error

    # --- probes: nothing is changed -------------------------------------------------------------------
    def ssh_config_hosts(self) -> tuple[SshHost, ...]:
        """Return the hosts of ~/.ssh/config."""
        from oz_installer.installation.wizard.probe import ssh_config_hosts

        return ssh_config_hosts()

    def probe_nodes(
        self,
        working: WorkingCopy,
        path: Path,
        names: Sequence[str],
        on_tried: Callable[[NodeProbe], None],
        stop: Stop,
    ) -> None:
        """Connect to nodes in parallel and read their facts."""
        from oz_installer.installation.wizard.probe import probe_nodes

        opened = self._open(path, working.get("known_hosts"))
        probe_nodes(working, path, names, opened, on_tried, stop, ask=self.ask)

    def probe_section(
        self,
        section: ProbedSection,
        working: WorkingCopy,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: Stop,
    ) -> None:
        """Check the database or the storage from every api node."""
        from oz_installer.installation.wizard.probe import probe_section

        opened = self._open(path, working.get("known_hosts"))
        probe_section(section, working, path, opened, on_finding, stop, ask=self.ask)

    # --- an installation ------------------------------------------------------------------------------
    def prepare(
        self,
        path: Path,
        stop: Stop,
        emit: Callable[[Event], None] | None = None,
        working: WorkingCopy | None = None,
    ) -> Prepared:
        """Connect, read facts and plan. Changes nothing. ``emit`` gets the events of its phases.

        ``working`` are unsaved answers to use in place of those in the file."""
        from oz_installer.installation.prepare import prepare

        loaded = _loaded(path, working)
        open_transport = self._open(path, loaded.answers.known_hosts)
        prepared = prepare(loaded, path, open_transport, ask=self.ask, stop=stop, emit=emit)
        self._learn(prepared.desired_state.secrets.masker())
        return prepared

    def with_diffs(self, prepared: Prepared, stop: Stop) -> Plan:
        """Return the plan with the diffs of every file, secrets masked."""
        from oz_installer.installation.plan_diffs import with_diffs

        with _masked(prepared):
            return with_diffs(prepared, stop)

    def check(
        self,
        path: Path,
        on_finding: Callable[[Finding], None],
        stop: Stop,
        working: WorkingCopy | None = None,
    ) -> None:
        """Run every check over connections of its own. A node that cannot be reached is a finding.

        ``working`` are unsaved answers to use in place of those in the file."""
        from oz_installer.installation.check import run_preflight

        loaded = _loaded(path, working)
        run_preflight(
            loaded, path, self._open(path, loaded.answers.known_hosts), on_finding, stop, ask=self.ask
        )

    def run_checks(self, prepared: Prepared, on_finding: Callable[[Finding], None], stop: Stop) -> None:
        """Run every check over the connections of a run."""
        from oz_installer.installation.check import check_prepared

        with _masked(prepared):
            check_prepared(prepared, on_finding, stop)

    def apply(self, prepared: Prepared, on_event: Callable[[Event], None], stop: Stop) -> None:
        """Apply the plan. Events and errors are masked; the details of a failure are saved."""
        from oz_installer.formatting.events import mask_event
        from oz_installer.installation.apply import apply
        from oz_installer.installation.failure_log import write_failure_log

        masker = prepared.desired_state.secrets.masker()
        with _masked(prepared):
            try:
                apply(prepared, lambda event: on_event(mask_event(event, masker)), stop=stop)
            except DeployError as error:
                write_failure_log(prepared.desired_state.path, error, masker)
                raise

    def summarise(self, prepared: Prepared, stop: Stop) -> Summary:
        """Return the summary of the installation as it is now."""
        from oz_installer.installation.summary import summarise

        with _masked(prepared):
            return summarise(prepared, stop)

    def _open(self, path: Path, known_hosts: Path | None) -> Opener:
        asking = {} if self.ask_code is None else {"ask_code": self.ask_code}
        return partial(self._opener(), base=path.parent, known_hosts=known_hosts, **asking)


def _loaded(path: Path, working: WorkingCopy | None) -> LoadedAnswers:
    from oz_installer.answers.file import read

    return read(path) if working is None else working.loaded(str(path))


def _masked(prepared: Prepared) -> AbstractContextManager[None]:
    from oz_installer.installation.failure_log import mask_errors

    return mask_errors(prepared.desired_state.secrets.masker())
