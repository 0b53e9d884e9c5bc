"""The preflight: by itself, or over the connections of a run; and what checks are told of an installation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.local_files import secrets_file_path
from oz_installer.answers.model import Answers, Node
from oz_installer.answers.secrets.resolve import Ask, Secrets
from oz_installer.catalog.release import load_release, releases
from oz_installer.catalog.service import Port
from oz_installer.checks.all_checks import CHECKS
from oz_installer.checks.base import Check
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, GeneratedSecrets
from oz_installer.checks.runner import run_checks, sort_findings
from oz_installer.deploy.record import fingerprint
from oz_installer.errors import AnswersError
from oz_installer.installation.connect import select_targets
from oz_installer.installation.desired_state.inputs import Inputs, read_inputs
from oz_installer.installation.nodes.connection_pool import ConnectionPool
from oz_installer.installation.prepare import Prepared
from oz_installer.remote.transport import Transport
from oz_installer.secret import Masker, Secret
from oz_installer.text import join_and
from oz_installer.topology.layout import layout_name, requirements_of, roles_of, standard_layout
from oz_installer.topology.model import Topology

OnFinding = Callable[[Finding], None]
STEP_SECONDS = 8.0
"""For each step of connecting, so that a silent node is told of while there is time for the others'."""

PATIENCE_STEPS = 1.25
"""So many of them has the whole way to a node."""


class OpenWithTimeout(Protocol):
    """As OpenTransport; ``step`` in seconds is for each step of connecting."""

    def __call__(self, node: Node, secrets: Secrets, *, step: float) -> Transport:
        """Raises ConnectError."""
        ...


def run_preflight(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenWithTimeout,
    on_finding: OnFinding,
    stop: threading.Event,
    *,
    ask: Ask | None = None,
    limit: Sequence[str] = (),
    only: Sequence[str] = (),
    step: float = STEP_SECONDS,
) -> Masker:
    """The preflight by itself: whatever first asks for a node connects to it, and one that cannot be reached
    is a finding as others are. What hides the secrets from whatever is told afterwards.

    Raises AnswersError.
    """
    checks, chosen = select_checks(only), select_targets(loaded.answers, limit)
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    nodes = {node.name: node for node in loaded.answers.nodes if node.name in chosen}
    masker = inputs.secrets.masker()
    lines = ConnectionPool(
        lambda name: open_transport(nodes[name], inputs.secrets, step=step), patience=step * PATIENCE_STEPS
    )
    try:
        site = check_context(
            loaded.answers,
            lines,
            inputs.secrets,
            names=nodes,
            topology=inputs.topology,
            base=inputs.path.parent,
            own_passwords=_own_passwords(inputs),
        )
        run_checks(checks, site, mask_findings(on_finding, masker), stop)
    finally:
        lines.close()
    return masker


def check_prepared(
    prepared: Prepared, on_finding: OnFinding, stop: threading.Event, *, only: Sequence[str] = ()
) -> None:
    """All checks of all nodes at once, or only those that are named; changes nothing.

    ``on_finding`` is called in this thread, as answers come (``report_order`` sorts them); soon after
    ``stop`` is set it returns with what there is. Raises AnswersError for a name that no check has.
    """
    checks = select_checks(only)
    desired_state = prepared.desired_state
    site = check_context(
        desired_state.answers,
        prepared.connection.transport,
        desired_state.secrets,
        names=prepared.targets,
        topology=desired_state.topology,
        base=desired_state.path.parent,
    )
    run_checks(checks, site, mask_findings(on_finding, desired_state.secrets.masker()), stop)


def select_checks(only: Sequence[str]) -> Sequence[Check[Any]]:
    """The checks of these names; all where there are none. Raises AnswersError."""
    names = [check.name for check in CHECKS]
    if unknown := [name for name in only if name not in names]:
        raise AnswersError(f"there is no check {unknown[0]!r}", f"The checks are: {', '.join(names)}.")
    return [check for check in CHECKS if not only or check.name in only]


def in_report_order(findings: Sequence[Finding], nodes: Sequence[str]) -> list[Finding]:
    """Findings as a report has them: by node, then by check."""
    return sort_findings(findings, nodes, CHECKS)


def check_context(
    answers: Answers,
    reach: Callable[[str], Transport],
    secrets: Mapping[str, Secret],
    *,
    names: Iterable[str] | None = None,
    topology: Topology | None = None,
    base: Path = Path(),
    own_passwords: GeneratedSecrets | None = None,
) -> CheckContext:
    """What checks are told. Without a topology (answers in the making) no ports are known.

    ``names`` leaves only these nodes. A run has asked for ``own_passwords`` itself.
    """
    release = load_release(answers.release if answers.release in releases() else releases()[-1])
    roles = roles_of(answers)
    chosen = set(roles if names is None else names)
    spots = [
        _spot(answers, index, roles[node.name], _ports(topology, node.name))
        for index, node in enumerate(answers.nodes)
        if node.name in chosen
    ]
    return CheckContext(
        answers=answers,
        release=release,
        nodes=tuple(spots),
        transport=reach,
        secrets=secrets,
        topology=topology,
        answers_dir=base,
        own_passwords=own_passwords,
    )


def _own_passwords(inputs: Inputs) -> GeneratedSecrets:
    """Those that this run or an earlier one made."""
    secrets = inputs.secrets
    fingerprints = {slot: fingerprint(slot, secrets[slot]) for slot in secrets.generated}
    file = secrets_file_path(inputs.path)
    return GeneratedSecrets(
        file=file, is_lost=not file.exists(), fingerprints=fingerprints, lacking=tuple(secrets.made)
    )


def mask_findings(on_finding: OnFinding, masker: Masker) -> OnFinding:
    """Tells findings without any of the secrets."""
    return lambda finding: on_finding(finding.map_text(masker))


def _spot(answers: Answers, index: int, roles: tuple[str, ...], ports: tuple[Port, ...]) -> CheckedNode:
    """A node with the figures that hold for it, and who says so."""
    name, layout = answers.nodes[index].name, standard_layout(answers)
    if not roles:
        return CheckedNode(name=name, roles=())
    by_layout = layout is not None and layout.nodes[index].roles == roles
    source = f"layout {layout_name(answers)}" if by_layout else f"the vendor's figure for {join_and(roles)}"
    needs = requirements_of(answers, index, roles)
    return CheckedNode(name=name, roles=roles, requirements=needs, source=source, ports=ports)


def _ports(topology: Topology | None, name: str) -> tuple[Port, ...]:
    if topology is None:
        return ()
    return tuple(port for placed in topology.node(name).services for port in placed.ports)
