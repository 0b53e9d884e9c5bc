"""The part of the core that needs only the answers and the catalogue, no connection.

A module is loaded when it is first needed, so that the first frame does not wait for it.
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
    """Validation, choices, topology, sizing and a preview of the files."""

    def validate(self, working: WorkingCopy) -> tuple[Problem, ...]:
        """Return every problem, in file order.

        Constraints over the whole are checked once each field is valid, missing answers of components always.
        """
        from oz_installer.installation.wizard.choices import missing_for_components
        from oz_installer.topology.constraints import check_constraints

        if problems := working.problems():
            return (*problems, *missing_for_components(working))
        answers = working.answers()
        return check_constraints(answers) if answers else ()

    def allowed_values(self, working: WorkingCopy, keys: Sequence[str]) -> Mapping[str, AllowedValues]:
        """Return the allowed values of these questions, given all other answers."""
        from oz_installer.installation.wizard.choices import allowed_values

        return allowed_values(working, keys)

    def missing_reason(self, working: WorkingCopy, key: str) -> str | None:
        """Return why this question must be answered; None if it need not be."""
        from oz_installer.installation.wizard.choices import missing_reason

        return missing_reason(working, key)

    def role_assignment(self, working: WorkingCopy) -> RoleAssignment:
        """Return the roles of each node, as far as they are known."""
        from oz_installer.installation.wizard.role_assignment import assign_roles

        return assign_roles(working)

    def topology(self, working: WorkingCopy) -> Topology | None:
        """Return the topology; None while answers are missing or invalid."""
        from oz_installer.topology.planner import plan_topology

        answers = working.answers()
        try:
            return plan_topology(answers) if answers else None
        except AnswersError:
            return None

    def size(self, workload: Workload) -> Sizing:
        """Return the resources for a workload, by the vendor's formulas."""
        from oz_installer.catalog.sizing import size

        return size(workload)

    def scenarios(self) -> Mapping[str, Scenario]:
        """Return the vendor's scenarios by name."""
        from oz_installer.catalog.scenario import load_scenarios

        return load_scenarios()

    def releases(self) -> Sequence[Release]:
        """Return the releases of the catalogue, oldest first."""
        from oz_installer.catalog.release import load_release, releases

        return tuple(load_release(name) for name in releases())

    def bundles(self, working: WorkingCopy) -> Mapping[str, Mapping[str, str]]:
        """Return path -> text of each node's files, secrets masked; empty while answers are invalid."""
        from oz_installer.installation.desired_state.preview import preview
        from oz_installer.installation.platforms import platform_of

        answers = working.answers()
        return preview(answers, platform_of(answers).render) if answers else {}
