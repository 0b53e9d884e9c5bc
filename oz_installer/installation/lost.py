"""Stops a run that would make new passwords for what is installed, since the file of the old ones is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oz_installer.deploy.facts import NodeFacts
from oz_installer.errors import AnswersError
from oz_installer.installation.blueprint import Blueprint
from oz_installer.topology.model import Topology


def check_secrets(blueprint: Blueprint, facts: Mapping[str, NodeFacts]) -> None:
    """Raises AnswersError when a password was made in this run for something that a node has installed."""
    lost = lost_slots(blueprint.topology, blueprint.secrets.made, facts)
    if not lost:
        return
    nodes = [name for name in facts if any(name in some for some in lost.values())]
    file = blueprint.secrets_file
    gone = f"lacks {', '.join(lost)}" if file.exists() else "is missing"
    folder = blueprint.answers.install_dir.rstrip("/")
    raise AnswersError(
        f"the passwords of the installation on {', '.join(nodes)} are kept in {file}, which {gone}",
        f"Restore it from a copy (the passwords also stand below {folder}/current on the nodes); or, to set "
        f"new ones on purpose: oz-install --answers {blueprint.path} --new-secrets",
    )


def lost_slots(
    topology: Topology, made: Iterable[str], facts: Mapping[str, NodeFacts]
) -> dict[str, tuple[str, ...]]:
    """Slots of ``made`` that belong to an installed component, each with the nodes that show it.

    A component that no record names is new, and so may its password be. Where the component's own node is
    not looked at (``--limit``), any installation counts: a second password would be wrong there.
    """
    installed = {name: {*one.record.services, *one.record.jobs} for name, one in facts.items() if one.record}
    lost = {}
    for slot in made:
        users = [one for node in topology.nodes for one in node.services if slot in one.kind.secrets]
        nodes = [name for name, there in installed.items() if not there.isdisjoint(one.name for one in users)]
        if not nodes and any(one.node not in facts for one in users):
            nodes = list(installed)
        if nodes:
            lost[slot] = tuple(nodes)
    return lost
