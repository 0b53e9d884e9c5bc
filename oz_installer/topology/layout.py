"""The layout of the answers, and each node's roles and resources in it."""

from __future__ import annotations

from oz_installer.answers.model import Answers, Role
from oz_installer.catalog.release import load_release
from oz_installer.catalog.scenario import Layout, Resources, load_scenarios


def standard_layout(answers: Answers) -> Layout | None:
    """Return the scenario's layout for this number of nodes; None when it has none."""
    layouts = load_scenarios()[answers.scenario].layouts
    return next((layout for layout in layouts if len(layout.nodes) == len(answers.nodes)), None)


def roles_of(answers: Answers) -> dict[str, tuple[str, ...]]:
    """Return roles by node name: the operator's if given, else the layout's by position."""
    layout = standard_layout(answers)
    roles: dict[str, tuple[str, ...]] = {}
    for index, node in enumerate(answers.nodes):
        by_layout = layout.nodes[index].roles if layout else ()
        roles[node.name] = _in_order(node.roles) or by_layout
    return roles


def requirements_of(answers: Answers, index: int, roles: tuple[str, ...]) -> Resources:
    """Return a node's CPU, memory and disk: the layout's if its roles are kept, else by roles."""
    layout = standard_layout(answers)
    if layout and layout.nodes[index].roles == roles:
        return layout.nodes[index].needs
    return next(one.needs for one in load_release(answers.release).nodes if one.roles == roles)


def layout_name(answers: Answers) -> str:
    """Return a name such as medium-4, with -custom when the operator moved roles."""
    layout = standard_layout(answers)
    if layout is None:
        return f"{answers.scenario}-{len(answers.nodes)}-custom"
    moved = any(
        one.roles != roles for one, roles in zip(layout.nodes, roles_of(answers).values(), strict=True)
    )
    return f"{layout.name}-custom" if moved else layout.name


def _in_order(roles: tuple[Role, ...]) -> tuple[str, ...]:
    return tuple(role for role in ("api", "bio") if role in roles)
