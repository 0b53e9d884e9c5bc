"""The roles and requirements of each node, for incomplete answers."""

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
    """A node with its roles.

    ``needs`` is None when unknown; ``custom``: the roles come from the answers, not from the layout.
    """

    name: str
    roles: tuple[str, ...]
    needs: Resources | None
    custom: bool


@dataclass(frozen=True, kw_only=True)
class RoleAssignment:
    """The roles of all nodes.

    ``layout`` is the layout's name, None if the scenario has none for this number of nodes. ``sizes`` are the
    numbers of nodes that it has layouts for. ``scenario`` is None until one is chosen.
    """

    scenario: str | None
    layout: str | None
    sizes: tuple[int, ...]
    seats: tuple[NodeRoles, ...] = ()

    @property
    def api_nodes(self) -> tuple[str, ...]:
        """The names of the nodes that will run the API."""
        return tuple(seat.name for seat in self.seats if "api" in seat.roles)


def assign_roles(working: WorkingCopy) -> RoleAssignment:
    """Return every node's roles; names may still be missing or not unique."""
    given = partial_answers(working)
    nodes = tuple(replace(node, name=f"n{index}") for index, node in enumerate(given.nodes))
    answers = replace(given, nodes=nodes)
    roles = tuple(roles_of(answers).values())
    scenario = working.get("scenario")
    return RoleAssignment(
        scenario=scenario,
        layout=layout_name(answers) if standard_layout(answers) else None,
        sizes=tuple(len(one.nodes) for one in load_scenarios()[answers.scenario].layouts),
        seats=tuple(
            NodeRoles(
                name=working.get(f"nodes[{index}].name") or f"node {index + 1}",
                roles=own,
                needs=_needs(answers, index, own),
                custom=bool(answers.nodes[index].roles),
            )
            for index, own in enumerate(roles)
        ),
    )


def _needs(answers: Answers, index: int, roles: tuple[str, ...]) -> Resources | None:
    return requirements_of(answers, index, roles) if roles and answers.release in releases() else None
