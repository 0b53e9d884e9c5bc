"""Which role each node gets, and what it needs, while the answers are still in the making."""

from __future__ import annotations

from dataclasses import replace

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.model import Answers
from oz_installer.catalog.release import releases
from oz_installer.catalog.scenario import Resources, load_scenarios
from oz_installer.frozen import dataclass
from oz_installer.installation.wizard.partial_answers import partial_answers
from oz_installer.topology.layout import layout_name, requirements_of, roles_of, standard_layout


@dataclass(frozen=True, kw_only=True)
class NodeRoles:
    """One node in the operator's order. ``needs`` is None where nobody says it; ``moved`` tells that the
    operator, not the layout, gave it its roles."""

    name: str
    roles: tuple[str, ...]
    needs: Resources | None
    custom: bool


@dataclass(frozen=True, kw_only=True)
class RoleAssignment:
    """``layout`` is its name, None where the scenario has none for that many nodes; ``sizes`` are the numbers
    of nodes that it has layouts for; ``scenario`` is None until one is chosen."""

    scenario: str | None
    layout: str | None
    sizes: tuple[int, ...]
    seats: tuple[NodeRoles, ...] = ()

    @property
    def api_nodes(self) -> tuple[str, ...]:
        """The names of the nodes that will run the API."""
        return tuple(seat.name for seat in self.seats if "api" in seat.roles)


def assign_roles(working: WorkingCopy) -> RoleAssignment:
    """Every node's roles; nodes may have no name yet, or the same."""
    given = partial_answers(working)
    nodes = tuple(replace(node, name=f"n{place}") for place, node in enumerate(given.nodes))
    answers = replace(given, nodes=nodes)
    roles = tuple(roles_of(answers).values())
    scenario = working.get("scenario")
    return RoleAssignment(
        scenario=scenario,
        layout=layout_name(answers) if standard_layout(answers) else None,
        sizes=tuple(len(one.nodes) for one in load_scenarios()[answers.scenario].layouts),
        seats=tuple(
            NodeRoles(
                name=working.get(f"nodes[{place}].name") or f"node {place + 1}",
                roles=mine,
                needs=_needs(answers, place, mine),
                custom=bool(answers.nodes[place].roles),
            )
            for place, mine in enumerate(roles)
        ),
    )


def _needs(answers: Answers, place: int, roles: tuple[str, ...]) -> Resources | None:
    return requirements_of(answers, place, roles) if roles and answers.release in releases() else None
