"""What the wizard asks of the core that follows from the answers and the catalogue alone.

A room is loaded when it is first needed, so that the first frame waits for none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from oz_installer.errors import AnswersError

if TYPE_CHECKING:
    from oz_installer.answers.working import Working
    from oz_installer.catalog.model import Release, Scenario
    from oz_installer.catalog.sizing import Sizing
    from oz_installer.errors import Problem
    from oz_installer.installation.possible import Possible
    from oz_installer.installation.seating import Seating
    from oz_installer.topology.model import Topology


class PureCore:
    """Judging, choices, topology, sizes, files as they will be."""

    def judge(self, working: Working) -> tuple[Problem, ...]:
        """Everything that is wrong, in file order; what concerns the whole once each field is right, but what
        a component asks for at once."""
        from oz_installer.installation.possible import unanswered
        from oz_installer.topology.rules import check

        if problems := working.problems():
            return (*problems, *unanswered(working))
        answers = working.answers()
        return check(answers) if answers else ()

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
