"""The preflight over prepared connections, and what checks are told of an installation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from oz_installer.answers.model import Answers
from oz_installer.catalog.model import Port, load_release, releases
from oz_installer.checks.every import CHECKS
from oz_installer.checks.model import Finding, Site, Spot
from oz_installer.checks.running import in_order, run
from oz_installer.installation.preparing import Prepared
from oz_installer.remote.transport import Transport
from oz_installer.secret import Masker, Secret
from oz_installer.topology.layout import layout_name, needs_of, roles_of, standard_layout
from oz_installer.topology.model import Topology

OnFinding = Callable[[Finding], None]


def run_checks(prepared: Prepared, on_finding: OnFinding, stop: threading.Event) -> None:
    """All checks of all nodes at once; changes nothing. ``on_finding`` is called in this thread, as answers
    come (``report_order`` sorts them); soon after ``stop`` is set it returns with what there is."""
    blueprint = prepared.blueprint
    site = site_of(
        blueprint.answers,
        prepared.transports.__getitem__,
        blueprint.secrets,
        names=tuple(prepared.transports),
        topology=blueprint.topology,
    )
    run(CHECKS, site, masked(on_finding, blueprint.secrets.masker()), stop)


def report_order(findings: Sequence[Finding], nodes: Sequence[str]) -> list[Finding]:
    """Findings as a report has them: by node, then by check."""
    return in_order(findings, nodes, CHECKS)


def site_of(
    answers: Answers,
    reach: Callable[[str], Transport],
    secrets: Mapping[str, Secret],
    *,
    names: Iterable[str] | None = None,
    topology: Topology | None = None,
) -> Site:
    """What checks are told. Without a topology (answers in the making) no ports are known.

    ``names`` leaves only these nodes.
    """
    release = load_release(answers.release if answers.release in releases() else releases()[-1])
    roles = roles_of(answers)
    chosen = set(roles if names is None else names)
    spots = [
        _spot(answers, index, roles[node.name], _ports(topology, node.name))
        for index, node in enumerate(answers.nodes)
        if node.name in chosen
    ]
    return Site(answers=answers, release=release, spots=tuple(spots), reach=reach, secrets=secrets)


def masked(on_finding: OnFinding, masker: Masker) -> OnFinding:
    """Tells findings without any of the secrets."""
    return lambda finding: on_finding(finding.mapped(masker))


def _spot(answers: Answers, index: int, roles: tuple[str, ...], ports: tuple[Port, ...]) -> Spot:
    """A node with the figures that hold for it, and who says so."""
    name, layout = answers.nodes[index].name, standard_layout(answers)
    if not roles:
        return Spot(name=name, roles=())
    by_layout = layout is not None and layout.nodes[index].roles == roles
    source = (
        f"layout {layout_name(answers)}" if by_layout else f"the vendor's figure for {' and '.join(roles)}"
    )
    needs = needs_of(answers, index, roles)
    return Spot(name=name, roles=roles, needs=needs, source=source, ports=ports)


def _ports(topology: Topology | None, name: str) -> tuple[Port, ...]:
    if topology is None:
        return ()
    return tuple(port for placed in topology.node(name).services for port in placed.ports)
