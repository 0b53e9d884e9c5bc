"""Stop a run that would replace lost passwords of an existing installation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oz_installer.answers.secrets.store import mismatch_text, restore_hint
from oz_installer.deploy.record import Facts, fingerprint
from oz_installer.errors import AnswersError
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.topology.model import Topology


def require_matching_secrets(desired_state: DesiredState, facts: Mapping[str, Facts]) -> None:
    """Raise AnswersError when a generated password is not the one that a node has installed.

    The password comes from this run, from ``render`` or from an old copy of the file; the installed one is
    lost.
    """
    secrets = desired_state.secrets
    prints = {slot: fingerprint(slot, secrets[slot]) for slot in secrets.generated}
    lacking = missing_secrets(desired_state.topology, secrets.made, facts)
    other = {slot: nodes for slot, nodes in changed_secrets(prints, facts).items() if slot not in lacking}
    lost = {**lacking, **other}
    if not lost:
        return
    nodes = [name for name in facts if any(name in some for some in lost.values())]
    file = desired_state.secrets_file
    raise AnswersError(
        f"the passwords of the installation on {', '.join(nodes)} are stored in {file}, "
        f"which {mismatch_text(not file.exists(), lacking, other)}",
        f"{restore_hint(desired_state.answers.install_dir)}; or, to set new ones on purpose: "
        f"oz-install --answers {desired_state.path} --new-secrets",
    )


def require_all_nodes(desired_state: DesiredState, facts: Mapping[str, Facts]) -> None:
    """Raise AnswersError when passwords would be generated without the facts of every node.

    Without the secrets file, a node that ``--limit`` leaves out may have passwords that are lost.
    """
    unseen = [node.name for node in desired_state.answers.nodes if node.name not in facts]
    if not desired_state.secrets.made or not unseen or desired_state.secrets_file.exists():
        return
    raise AnswersError(
        f"{desired_state.secrets_file}, the file with the passwords, is missing, and --limit leaves out "
        f"{', '.join(unseen)}, where some may be installed",
        "Run without --limit; or, to generate new passwords on purpose: "
        f"oz-install --answers {desired_state.path} --new-secrets",
    )


def missing_secrets(
    topology: Topology, made: Iterable[str], facts: Mapping[str, Facts]
) -> dict[str, tuple[str, ...]]:
    """Return slots of ``made`` that belong to an installed component, each with its nodes.

    A component that is in no record is new, so its password may be new too. If the facts of the component's
    own node are not read (``--limit``), any installation counts: a second password would be wrong there.
    """
    installed = {name: {*one.record.services, *one.record.jobs} for name, one in facts.items() if one.record}
    lost = {}
    for slot in made:
        users = [one for node in topology.nodes for one in node.services if slot in one.service.secrets]
        nodes = [name for name, there in installed.items() if not there.isdisjoint(one.name for one in users)]
        if not nodes and any(one.node not in facts for one in users):
            nodes = list(installed)
        if nodes:
            lost[slot] = tuple(nodes)
    return lost


def changed_secrets(prints: Mapping[str, str], facts: Mapping[str, Facts]) -> dict[str, tuple[str, ...]]:
    """Return slots whose fingerprint differs from the record of nodes, each with those nodes."""
    recorded = {name: one.record.secrets or {} for name, one in facts.items() if one.record}
    found = {
        slot: tuple(name for name, kept in recorded.items() if kept.get(slot, mine) != mine)
        for slot, mine in prints.items()
    }
    return {slot: nodes for slot, nodes in found.items() if nodes}
