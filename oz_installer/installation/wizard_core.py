"""What the wizard asks of the core; ``tui/bridge.py`` says what it may.

A room is loaded when it is first needed, so that the first frame waits for none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oz_installer.errors import AnswersError

if TYPE_CHECKING:
    from oz_installer.answers.drafts import SavedDraft
    from oz_installer.answers.working import Working
    from oz_installer.catalog.model import Release, Scenario
    from oz_installer.catalog.sizing import Sizing
    from oz_installer.errors import Problem
    from oz_installer.installation.possible import Possible
    from oz_installer.topology.model import Topology

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
        )

    def scenarios(self) -> Mapping[str, Scenario]:
        """The vendor's scenarios by name."""
        from oz_installer.catalog.model import load_scenarios

        return load_scenarios()

    def releases(self) -> Sequence[Release]:
        """The catalogue's releases, oldest first."""
        from oz_installer.catalog.model import load_release, releases

        return tuple(load_release(name) for name in releases())

    def bundles(self, working: Working, path: Path) -> Mapping[str, Mapping[str, str]]:
        """Every node's files, path -> text, secrets masked; nothing while answers are missing or wrong."""
        from oz_installer.installation.preview import preview

        answers = working.answers()
        return preview(answers, path) if answers else {}


class WizardCore(PureCore):
    """All of it. ``opener`` makes what opens connections, when one is needed; ``ask`` asks for a secret."""

    def __init__(self, opener: Callable[[], Opener], ask: Callable[[str], Any] | None = None) -> None:
        self._opener = opener
        self._ask = ask

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
