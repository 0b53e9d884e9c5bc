"""The preflight, over its own connections or those of a run, and the context of its checks."""

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
from oz_installer.checks.base import Check
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, GeneratedSecrets
from oz_installer.checks.runner import OnFinding, run_checks, sort_findings
from oz_installer.deploy.record import fingerprint
from oz_installer.errors import AnswersError
from oz_installer.installation.connect import select_targets
from oz_installer.installation.desired_state.inputs import Inputs, read_inputs
from oz_installer.installation.nodes.connection_pool import ConnectionPool
from oz_installer.installation.platforms import platform_of
from oz_installer.installation.prepare import Prepared
from oz_installer.remote.transport import Transport
from oz_installer.secret import Masker, Secret
from oz_installer.text import join_and
from oz_installer.topology.layout import layout_name, requirements_of, roles_of, standard_layout
from oz_installer.topology.model import Topology

STEP_SECONDS = 8.0
"""Limit for each step of connecting, so that a silent node is reported in time."""

PATIENCE_STEPS = 1.25
"""Limit for the whole connection to a node, in steps."""


class OpenWithTimeout(Protocol):
    """Opens a connection like OpenTransport; ``step`` (seconds) limits each step of connecting."""

    def __call__(self, node: Node, secrets: Secrets, *, step: float) -> Transport:
        """Open a connection to a node. Raises ConnectError."""
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
    """Run the preflight over connections of its own. Return the masker of the secrets.

    The first check of a node connects to it; a node that cannot be reached is a finding. Raises AnswersError.
    """
    chosen = select_targets(loaded.answers, limit)
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    checks = select_checks(loaded.answers, only)
    nodes = {node.name: node for node in loaded.answers.nodes if node.name in chosen}
    masker = inputs.secrets.masker()
    pool = ConnectionPool(
        lambda name: open_transport(nodes[name], inputs.secrets, step=step), patience=step * PATIENCE_STEPS
    )
    try:
        context = check_context(
            loaded.answers,
            pool,
            inputs.secrets,
            names=nodes,
            topology=inputs.topology,
            base=inputs.path.parent,
            own_passwords=_own_passwords(inputs),
        )
        run_checks(checks, context, mask_findings(on_finding, masker), stop)
    finally:
        pool.close()
    return masker


def check_prepared(
    prepared: Prepared, on_finding: OnFinding, stop: threading.Event, *, only: Sequence[str] = ()
) -> None:
    """Run all checks, or only the named ones, on all nodes in parallel. Changes nothing.

    ``on_finding`` is called in this thread, as findings arrive (``in_report_order`` sorts them). Returns soon
    after ``stop`` is set. Raises AnswersError for an unknown check.
    """
    desired_state = prepared.desired_state
    checks = select_checks(desired_state.answers, only)
    context = check_context(
        desired_state.answers,
        prepared.connection.transport,
        desired_state.secrets,
        names=prepared.targets,
        topology=desired_state.topology,
        base=desired_state.path.parent,
    )
    run_checks(checks, context, mask_findings(on_finding, desired_state.secrets.masker()), stop)


def select_checks(answers: Answers, only: Sequence[str]) -> Sequence[Check[Any]]:
    """Return the named checks of the platform, or all without names.

    Raises AnswersError for an unknown check."""
    checks = platform_of(answers).checks
    names = [check.name for check in checks]
    if unknown := [name for name in only if name not in names]:
        raise AnswersError(
            f"there is no check {unknown[0]!r} on this platform", f"The checks are: {', '.join(names)}."
        )
    return [check for check in checks if not only or check.name in only]


def in_report_order(findings: Sequence[Finding], answers: Answers) -> list[Finding]:
    """Sort the findings on these answers for a report: by node, then by check."""
    return sort_findings(findings, [node.name for node in answers.nodes], platform_of(answers).checks)


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
    """Return the context of checks. Without a topology (incomplete answers) no ports are known.

    ``names`` restricts it to these nodes. A run checks ``own_passwords`` itself and passes none.
    """
    release = load_release(answers.release if answers.release in releases() else releases()[-1])
    roles = roles_of(answers)
    chosen = set(roles if names is None else names)
    nodes = [
        _checked_node(answers, index, roles[node.name], _ports(topology, node.name))
        for index, node in enumerate(answers.nodes)
        if node.name in chosen
    ]
    return CheckContext(
        answers=answers,
        release=release,
        nodes=tuple(nodes),
        transport=reach,
        secrets=secrets,
        topology=topology,
        answers_dir=base,
        own_passwords=own_passwords,
    )


def _own_passwords(inputs: Inputs) -> GeneratedSecrets:
    """Return the passwords that this run or an earlier one generated."""
    secrets = inputs.secrets
    fingerprints = {slot: fingerprint(slot, secrets[slot]) for slot in secrets.generated}
    file = secrets_file_path(inputs.path)
    return GeneratedSecrets(
        file=file, is_lost=not file.exists(), fingerprints=fingerprints, lacking=tuple(secrets.made)
    )


def mask_findings(on_finding: OnFinding, masker: Masker) -> OnFinding:
    """Return ``on_finding`` with secrets masked."""
    return lambda finding: on_finding(finding.map_text(masker))


def _checked_node(
    answers: Answers, index: int, roles: tuple[str, ...], ports: tuple[Port, ...]
) -> CheckedNode:
    """Return a node with its requirements and their source."""
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
