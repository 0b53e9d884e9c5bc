"""What the wizard asks of the core; ``tui/bridge.py`` says what it may.

A room is loaded when it is first needed, so that the first frame waits for none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING, Any

from oz_installer.errors import AnswersError

if TYPE_CHECKING:
    from oz_installer.answers.drafts import SavedDraft
    from oz_installer.answers.secrets import Ask
    from oz_installer.answers.working import Working
    from oz_installer.catalog.model import Release, Scenario
    from oz_installer.catalog.sizing import Sizing
    from oz_installer.checks.model import Finding
    from oz_installer.deploy.events import Event
    from oz_installer.deploy.plan import Plan
    from oz_installer.errors import Problem
    from oz_installer.installation import OpenTransport, Prepared
    from oz_installer.installation.possible import Possible
    from oz_installer.installation.seating import Seating
    from oz_installer.installation.trying import SshHost, Tried
    from oz_installer.topology.model import Topology
    from oz_installer.topology.summary import Summary

Opener = Callable[..., Any]
"""``open(node, secrets, base=..., known_hosts=...)`` gives a connection to a node."""

MOST_FILES = 200
"""No more files of a folder are looked at."""


class PureCore:
    """What follows from the answers and the catalogue alone."""

    def judge(self, working: Working) -> tuple[Problem, ...]:
        """Everything that is wrong, in file order; what concerns the whole once each field is right."""
        from oz_installer.topology.rules import check

        problems = working.problems()
        answers = None if problems else working.answers()
        return check(answers) if answers else problems

    def possible(self, working: Working, keys: Sequence[str]) -> Mapping[str, Possible]:
        """What may be chosen for these questions, given all other answers."""
        from oz_installer.installation.possible import possible

        return possible(working, keys)

    def needed(self, working: Working, key: str) -> str | None:
        """What is wrong when this question is left out; None when it may be."""
        from oz_installer.installation.possible import needed

        return needed(working, key)

    def seating(self, working: Working) -> Seating:
        """Which role each node gets, as far as that is known."""
        from oz_installer.installation.seating import seating

        return seating(working)

    def topology(self, working: Working) -> Topology | None:
        """What will run where; None while answers are missing or wrong."""
        from oz_installer.topology.planner import plan_topology

        answers = working.answers()
        try:
            return plan_topology(answers) if answers else None
        except AnswersError:
            return None

    def size(
        self,
        *,
        apm: float | None,
        analyses_per_month: float | None,
        media_mb: float | None,
        analyses_per_day: float | None,
        archive_days: int | None,
        needs_ha: bool,
        needs_autoscaling: bool,
    ) -> Sizing:
        """What a workload needs, by the vendor's formulas."""
        from oz_installer.catalog.sizing import size

        return size(
            apm=apm,
            analyses_per_month=analyses_per_month,
            media_mb=media_mb,
            analyses_per_day=analyses_per_day,
            archive_days=archive_days,
            needs_ha=needs_ha,
            needs_autoscaling=needs_autoscaling,
        )

    def scenarios(self) -> Mapping[str, Scenario]:
        """The vendor's scenarios by name."""
        from oz_installer.catalog.model import load_scenarios

        return load_scenarios()

    def releases(self) -> Sequence[Release]:
        """The catalogue's releases, oldest first."""
        from oz_installer.catalog.model import load_release, releases

        return tuple(load_release(name) for name in releases())

    def bundles(self, working: Working) -> Mapping[str, Mapping[str, str]]:
        """Every node's files, path -> text, secrets masked; nothing while answers are missing or wrong."""
        from oz_installer.installation.preview import preview

        answers = working.answers()
        return preview(answers) if answers else {}


class WizardCore(PureCore):
    """All of it. ``opener`` makes what opens connections, when one is needed; ``ask`` asks the operator."""

    def __init__(self, opener: Callable[[], Opener]) -> None:
        self._opener = opener
        self.ask: Ask | None = None

    # --- files of the operator ------------------------------------------------------------------------
    def exists(self, path: Path) -> bool:
        """Whether something stands there."""
        return os.path.lexists(path)

    def answers_files(self, folder: Path) -> tuple[Path, ...]:
        """Files of that folder which look like answers, sorted."""
        try:
            names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
        except OSError:
            return ()
        return tuple(folder / name for name in names[:MOST_FILES] if name.endswith((".yml", ".yaml")))

    def read(self, path: Path) -> tuple[Working, str]:
        """Answers of a file, complete or not, and its text."""
        from oz_installer.answers.file import read_draft
        from oz_installer.answers.working import Working

        draft = read_draft(path)
        return Working.of(draft), path.read_text(encoding="utf-8-sig")

    def keep(self, working: Working, path: Path, source: str | None = None) -> Working:
        """Write the answers file, and typed secrets to files of their own beside it."""
        from oz_installer.answers.keeping import keep

        return keep(working, path, source)

    def save_draft(self, working: Working, target: Path, step: str) -> SavedDraft:
        """Keep a draft without secrets."""
        from oz_installer.answers.drafts import save_draft

        return save_draft(working, target, step)

    def load_draft(self, saved: SavedDraft) -> Working:
        """What a draft holds."""
        from oz_installer.answers.drafts import load_draft

        return load_draft(saved)

    def drafts(self) -> tuple[SavedDraft, ...]:
        """All drafts, newest first."""
        from oz_installer.answers.drafts import drafts

        return drafts()

    def drop_draft(self, target: Path) -> None:
        """Remove the draft of that answers file, if there is one."""
        from oz_installer.answers.drafts import drop_draft

        drop_draft(target)

    # --- outside, before anything is changed ----------------------------------------------------------
    def ssh_config_hosts(self) -> tuple[SshHost, ...]:
        """Hosts of ~/.ssh/config."""
        from oz_installer.installation.trying import ssh_config_hosts

        return ssh_config_hosts()

    def try_nodes(
        self,
        working: Working,
        path: Path,
        names: Sequence[str],
        on_tried: Callable[[Tried], None],
        stop: Stop,
    ) -> None:
        """Connect to nodes, all at once, and look at them."""
        from oz_installer.installation.trying import try_nodes

        opened = self._open(path, working.get("known_hosts"))
        try_nodes(working, path, names, opened, on_tried, stop, ask=self.ask)

    def try_database(
        self, working: Working, path: Path, on_finding: Callable[[Finding], None], stop: Stop
    ) -> None:
        """Log in to the database from every api node."""
        from oz_installer.installation.trying import try_database

        opened = self._open(path, working.get("known_hosts"))
        try_database(working, path, opened, on_finding, stop, ask=self.ask)

    def try_storage(
        self, working: Working, path: Path, on_finding: Callable[[Finding], None], stop: Stop
    ) -> None:
        """Write on one api node, read on the other, remove it again."""
        from oz_installer.installation.trying import try_storage

        opened = self._open(path, working.get("known_hosts"))
        try_storage(working, path, opened, on_finding, stop, ask=self.ask)

    # --- an installation ------------------------------------------------------------------------------
    def prepare(self, path: Path, limit: Sequence[str] = ()) -> Prepared:
        """Connect, look and plan; changes nothing."""
        from oz_installer.answers.file import read
        from oz_installer.installation import prepare

        loaded = read(path)
        open_transport = self._open(path, loaded.answers.known_hosts)
        return prepare(loaded, path, open_transport, ask=self.ask, limit=limit)

    def with_diffs(self, prepared: Prepared) -> Plan:
        """The plan with the differences of every file, secrets masked."""
        from oz_installer.installation import with_diffs

        return with_diffs(prepared)

    def run_checks(self, prepared: Prepared, on_finding: Callable[[Finding], None], stop: Stop) -> None:
        """Preflight: every check, all nodes at once."""
        from oz_installer.installation.checking import run_checks

        run_checks(prepared, on_finding, stop)

    def execute(self, prepared: Prepared, on_event: Callable[[Event], None], stop: Stop) -> None:
        """Carry the plan out."""
        from oz_installer.installation import execute

        execute(prepared, on_event, stop=stop)

    def summarise(self, prepared: Prepared) -> Summary:
        """What runs where now."""
        from oz_installer.installation import summarise

        return summarise(prepared)

    def _open(self, path: Path, known_hosts: Path | None) -> OpenTransport:
        return partial(self._opener(), base=path.parent, known_hosts=known_hosts)
