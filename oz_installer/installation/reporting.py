"""What the operator may want to see of an installation: states, logs, differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.secrets import Ask
from oz_installer.deploy.facts import ContainerFact, NodeFacts
from oz_installer.deploy.plan import NodePlan, Plan
from oz_installer.errors import AnswersError
from oz_installer.installation.blueprint import read_inputs
from oz_installer.installation.connections import OpenTransport, open_each
from oz_installer.installation.looking import look
from oz_installer.installation.preparing import Prepared
from oz_installer.remote.commands import logs
from oz_installer.render.bundle import Bundle
from oz_installer.topology.model import Placed, Topology
from oz_installer.topology.summary import Summary, summary_of


def summarise(prepared: Prepared, *, report: Path | None = None) -> Summary:
    """What runs where now. Looks at the nodes again."""
    blueprint = prepared.blueprint
    facts = look(blueprint, prepared.transports)
    states: dict[str, str] = {}
    for name, seen in facts.items():
        states |= _states(blueprint.bundles[name], seen)
    return summary_of(
        blueprint.topology,
        states,
        secrets_file=blueprint.secrets_file if blueprint.secrets_file.exists() else None,
        admin_email=blueprint.answers.admin.email,
        report=report,
    )


def _states(bundle: Bundle, facts: NodeFacts) -> Mapping[str, str]:
    states = {}
    for service in bundle.services:
        if service.job:
            state = "finished" if facts.jobs.get(service.name) == service.digest else "not done"
        else:
            state = _state(facts.containers.get(service.name), facts.verified == bundle.digest)
        states[f"{bundle.node}/{service.name}"] = state
    return states


def _state(there: ContainerFact | None, verified: bool) -> str:
    if there is None:
        return "missing"
    if not there.running:
        return "stopped"
    # an engine says "starting" for a whole interval after our own run of the check has passed
    return "healthy" if there.health == "starting" and verified else there.health or "running"


def read_logs(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    service: str,
    lines: int,
    *,
    ask: Ask | None = None,
) -> dict[str, str]:
    """The last log lines of a service by ``node/service``, wherever it runs; secrets masked.

    ``service`` is a container's name or its catalogue name. Raises AnswersError when nothing of that
    name runs anywhere, ConnectError.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    placed = _called(inputs.topology, service)
    homes = [node for node in loaded.answers.nodes if node.name in {one.node for one in placed}]
    transports, _ = open_each(homes, lambda node: open_transport(node, inputs.secrets), lambda: None)
    try:
        argvs = {one.service_key: (one.node, logs(loaded.answers.engine, one.name, lines)) for one in placed}
        found = {key: transports[node].run(argv) for key, (node, argv) in argvs.items()}
    finally:
        for transport in transports.values():
            transport.close()
    masker = inputs.secrets.masker()
    return {key: masker((one.stdout + one.stderr).decode("utf-8", "replace")) for key, one in found.items()}


def _called(topology: Topology, service: str) -> list[Placed]:
    """What keeps running under that name. Raises AnswersError when nothing does."""
    running = [one for node in topology.nodes for one in node.services if not one.kind.job]
    found = [one for one in running if service in (one.name, one.kind.name)]
    if not found:
        known = dict.fromkeys(one.name for one in running)
        raise AnswersError(f"no service is called {service!r}", f"Known: {', '.join(known)}.")
    return found


def with_diffs(prepared: Prepared) -> Plan:
    """The plan with a unified diff of every file that differs, secrets masked. One more look a node.

    On a node where nothing is installed there is nothing to compare with: ``render`` shows those files.
    """
    nodes = [
        _with_diffs(prepared, plan) if plan.files and prepared.facts[plan.node].record else plan
        for plan in prepared.plan.nodes
    ]
    return replace(prepared.plan, nodes=tuple(nodes))


def _with_diffs(prepared: Prepared, plan: NodePlan) -> NodePlan:
    from oz_installer.deploy.diffs import add_diffs

    blueprint = prepared.blueprint
    shown = blueprint.shown(plan.node)
    wanted = {file.path: shown.get(file.path, file.content) for file in blueprint.bundles[plan.node].files}
    install_dir, masker = blueprint.answers.install_dir, blueprint.secrets.masker()
    return add_diffs(plan, wanted, set(shown), prepared.transports[plan.node], install_dir, masker)
