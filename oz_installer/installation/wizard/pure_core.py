"""What the wizard asks of the core that follows from the answers and the catalogue alone.

A room is loaded when it is first needed, so that the first frame waits for none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from oz_installer.errors import AnswersError

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.answers.sections import Workload
    from oz_installer.catalog.release import Release
    from oz_installer.catalog.scenario import Scenario
    from oz_installer.catalog.sizing import Sizing
    from oz_installer.errors import Problem
    from oz_installer.installation.wizard.choices import AllowedValues
    from oz_installer.installation.wizard.role_assignment import RoleAssignment
    from oz_installer.topology.model import Topology


class OfflineCore:
    """Judging, choices, topology, sizes, files as they will be."""

    def validate(self, working: WorkingCopy) -> tuple[Problem, ...]:
        """Everything that is wrong, in file order; what concerns the whole once each field is right, but what
        a component asks for at once."""
        from oz_installer.installation.wizard.choices import missing_for_components
        from oz_installer.topology.constraints import check_constraints

        if problems := working.problems():
            return (*problems, *missing_for_components(working))
        answers = working.answers()
        return check_constraints(answers) if answers else ()

    def allowed_values(self, working: WorkingCopy, keys: Sequence[str]) -> Mapping[str, AllowedValues]:
        """What may be chosen for these questions, given all other answers."""
        from oz_installer.installation.wizard.choices import allowed_values

        return allowed_values(working, keys)

    def missing_reason(self, working: WorkingCopy, key: str) -> str | None:
        """What is wrong when this question is left out; None when it may be."""
        from oz_installer.installation.wizard.choices import missing_reason

        return missing_reason(working, key)

    def role_assignment(self, working: WorkingCopy) -> RoleAssignment:
        """Which role each node gets, as far as that is known."""
        from oz_installer.installation.wizard.role_assignment import assign_roles

        return assign_roles(working)

    def topology(self, working: WorkingCopy) -> Topology | None:
        """What will run where; None while answers are missing or wrong."""
        from oz_installer.topology.planner import plan_topology

        answers = working.answers()
        try:
            return plan_topology(answers) if answers else None
        except AnswersError:
            return None

    def size(self, workload: Workload) -> Sizing:
        """What a workload needs, by the vendor's formulas."""
        from oz_installer.catalog.sizing import size

        return size(workload)

    def scenarios(self) -> Mapping[str, Scenario]:
        """The vendor's scenarios by name."""
        from oz_installer.catalog.scenario import load_scenarios

        return load_scenarios()

    def releases(self) -> Sequence[Release]:
        """The catalogue's releases, oldest first."""
        from oz_installer.catalog.release import load_release, releases

        return tuple(load_release(name) for name in releases())

    def bundles(self, working: WorkingCopy) -> Mapping[str, Mapping[str, str]]:
        """Every node's files, path -> text, secrets masked; nothing while answers are missing or wrong."""
        from oz_installer.installation.desired_state.preview import preview
        from oz_installer.installation.platforms import platform_of

        answers = working.answers()
        return preview(answers, platform_of(answers).render) if answers else {}
