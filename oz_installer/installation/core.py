"""The core that both front ends call: ``prepare`` says what would change, ``execute`` changes it."""

from __future__ import annotations

import getpass
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.model import Node
from oz_installer.answers.secrets import Ask
from oz_installer.deploy import node as commands
from oz_installer.deploy.events import Event
from oz_installer.deploy.facts import ContainerFact, NodeFacts, parse_facts
from oz_installer.deploy.gate import Gate, LiveGate
from oz_installer.deploy.plan import Plan
from oz_installer.deploy.planning import plan_changes
from oz_installer.deploy.settings import RegistryLogin, RunSettings
from oz_installer.deploy.together import ended, together
from oz_installer.errors import AnswersError, PreflightError
from oz_installer.installation.blueprint import Blueprint, read_inputs, work_out
from oz_installer.installation.connections import OpenTransport, limited, open_each
from oz_installer.remote.commands import logs
from oz_installer.topology.summary import Summary, summary_of

if TYPE_CHECKING:
    from oz_installer.deploy.run import Run
    from oz_installer.remote.transport import Transport


@dataclass(frozen=True, kw_only=True)
class _Looked:
    """A node that was connected to, and what was seen there."""

    transport: Transport
    facts: NodeFacts

    def close(self) -> None:
        self.transport.close()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Connections, facts and the plan. ``reopen`` replaces a lost connection, ``close`` ends all."""

    blueprint: Blueprint
    transports: Mapping[str, Transport]
    facts: Mapping[str, NodeFacts]
    plan: Plan
    reopen: Callable[[str], None]

    def require_engines(self) -> None:
        """Raises PreflightError naming the nodes whose engine cannot carry the plan out."""
        from oz_installer.deploy.phases.requirements import require

        changing = [self.facts[node.node] for node in self.plan.nodes if not node.nothing_to_do]
        require(changing, self.blueprint.answers.engine)

    def close(self) -> None:
        """End every connection."""
        for transport in self.transports.values():
            transport.close()


def prepare(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    *,
    ask: Ask | None = None,
    limit: Sequence[str] = (),
) -> Prepared:
    """Connect to the nodes, read their facts and say what would change. Changes nothing.

    The nodes are connected to while the bundles are rendered. Raises AnswersError, ConnectError with
    every node that cannot be reached, PreflightError.
    """
    topology, secrets, licences = read_inputs(loaded, path, ask=ask, connecting=True)
    chosen = limited(loaded.answers, limit)
    drawn: Future[Blueprint] = Future()

    def draw() -> Blueprint:
        try:
            drawn.set_result(work_out(loaded, path, topology, secrets, licences))
        except BaseException as error:
            drawn.set_exception(error)
            raise
        return drawn.result()

    def open_and_look(node: Node) -> _Looked:
        transport = open_transport(node, secrets)
        try:
            return _Looked(transport=transport, facts=look_at(drawn.result(), transport))
        except BaseException:
            transport.close()
            raise

    looked, blueprint = open_each(chosen, open_and_look, draw)
    transports = {name: one.transport for name, one in looked.items()}
    try:
        facts = {name: one.facts for name, one in looked.items()}
        bundles = {name: blueprint.bundles[name] for name in transports}
        plan = plan_changes(bundles, facts)
        lacking = {
            p.node: transports[p.node]
            for p in plan.nodes
            if not p.nothing_to_do and not facts[p.node].details
        }
        if lacking:  # the files are right, but something must start: now the details are needed, too
            facts.update(look(blueprint, lacking, detailed=True))
            plan = plan_changes(bundles, facts)
    except BaseException:
        for transport in transports.values():
            transport.close()
        raise

    def reopen(name: str) -> None:
        fresh = open_transport(next(node for node in chosen if node.name == name), secrets)
        transports[name].close()
        transports[name] = fresh

    return Prepared(blueprint=blueprint, transports=transports, facts=facts, plan=plan, reopen=reopen)


def look(
    blueprint: Blueprint, transports: Mapping[str, Transport], *, detailed: bool = False
) -> dict[str, NodeFacts]:
    """Read the facts of every node, in one round trip each, all at once."""
    futures = together(
        transports, lambda name: look_at(blueprint, transports[name], detailed=detailed), name="look"
    )
    return {name: future.result() for name, future in ended(futures).items()}


def look_at(blueprint: Blueprint, transport: Transport, *, detailed: bool = False) -> NodeFacts:
    """Read the facts of one node in one round trip. Raises PreflightError when it answers nonsense.

    Details come where another bundle is installed, or when they are asked for.
    """
    name, answers = transport.name, blueprint.answers
    bundle = blueprint.bundles[name]
    digest = "" if detailed else bundle.digest
    result = transport.run(commands.look(answers.install_dir, answers.engine, digest, bundle.images))
    try:
        return parse_facts(name, result.text)
    except (ValueError, KeyError) as error:
        said = result.errors[-300:] or "nothing"
        raise PreflightError(
            f"cannot read the state of the node: {error}; it said: {said}",
            "Does its login have a plain shell?",
            node=name,
        ) from error


def execute(
    prepared: Prepared,
    on_event: Callable[[Event], None],
    *,
    gate: Gate | None = None,
    health_timeout: float | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Carry the plan out. Raises DeployError, PreflightError, LockedError or Interrupted; what this run
    had changed has been taken back then. Setting ``stop`` asks it to stop."""
    from oz_installer.deploy.recipes import install
    from oz_installer.deploy.runner import run_phases

    run = _run(prepared, on_event, gate or LiveGate(), health_timeout)
    run.stop = stop or run.stop
    run_phases(install(), run)


def summarise(prepared: Prepared, *, report: Path | None = None) -> Summary:
    """What runs where now. Looks at the nodes again."""
    facts = look(prepared.blueprint, prepared.transports)
    states: dict[str, str] = {}
    for name, bundle in ((name, prepared.blueprint.bundles[name]) for name in facts):
        for service in bundle.services:
            there = facts[name].containers.get(service.name)
            if service.job:
                done = facts[name].jobs.get(service.name) == service.digest
                states[f"{name}/{service.name}"] = "finished" if done else "not done"
            elif there is None:
                states[f"{name}/{service.name}"] = "missing"
            else:
                states[f"{name}/{service.name}"] = _state(there, facts[name].verified == bundle.digest)
    blueprint = prepared.blueprint
    return summary_of(
        blueprint.topology,
        states,
        secrets_file=blueprint.secrets_file if blueprint.secrets_file.exists() else None,
        admin_email=blueprint.answers.admin.email,
        report=report,
    )


def _state(there: ContainerFact, verified: bool) -> str:
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
    topology, secrets, _ = read_inputs(loaded, path, ask=ask, connecting=True)
    placed = [
        one
        for node in topology.nodes
        for one in node.services
        if service in (one.name, one.kind.name) and not one.kind.job
    ]
    if not placed:
        known = dict.fromkeys(
            one.name for node in topology.nodes for one in node.services if not one.kind.job
        )
        raise AnswersError(f"no service is called {service!r}", f"Known: {', '.join(known)}.")
    homes = [node for node in loaded.answers.nodes if node.name in {one.node for one in placed}]
    transports, _ = open_each(homes, lambda node: open_transport(node, secrets), lambda: None)
    try:
        argvs = {one.service_key: (one.node, logs(loaded.answers.engine, one.name, lines)) for one in placed}
        found = {key: transports[node].run(argv) for key, (node, argv) in argvs.items()}
    finally:
        for transport in transports.values():
            transport.close()
    masker = secrets.masker()
    return {key: masker((one.stdout + one.stderr).decode("utf-8", "replace")) for key, one in found.items()}


def with_diffs(prepared: Prepared) -> Plan:
    """The plan with a unified diff of every file that differs, secrets masked. One more look a node.

    On a node where nothing is installed there is nothing to compare with: ``render`` shows those files.
    """
    from oz_installer.deploy.diffs import add_diffs

    nodes = []
    for plan in prepared.plan.nodes:
        if not plan.files or prepared.facts[plan.node].record is None:
            nodes.append(plan)
            continue
        bundle = prepared.blueprint.bundles[plan.node]
        shown = prepared.blueprint.shown(plan.node)
        wanted = {f.path: shown.get(f.path, f.content) for f in bundle.files}
        install_dir = prepared.blueprint.answers.install_dir
        nodes.append(
            add_diffs(
                plan,
                wanted,
                set(shown),
                prepared.transports[plan.node],
                install_dir,
                prepared.blueprint.secrets.masker(),
            )
        )
    return replace(prepared.plan, nodes=tuple(nodes))


def _run(
    prepared: Prepared, on_event: Callable[[Event], None], gate: Gate, health_timeout: float | None
) -> Run:
    from oz_installer.deploy.run import Run

    blueprint = prepared.blueprint
    answers, registry = blueprint.answers, blueprint.answers.registry
    login = None
    if registry.username and "registry.password" in blueprint.secrets:
        login = RegistryLogin(
            server=registry.server or "",
            username=registry.username,
            password=blueprint.secrets["registry.password"],
        )
    settings = RunSettings(
        install_dir=answers.install_dir.rstrip("/"),
        engine=answers.engine,
        owner=f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})",
        masker=blueprint.secrets.masker(),
        health_timeout=health_timeout,
        registry=login,
    )
    return Run(
        topology=blueprint.topology,
        bundles={name: blueprint.bundles[name] for name in prepared.transports},
        shown=blueprint.shown,
        transports=prepared.transports,
        reopen=prepared.reopen,
        facts=dict(prepared.facts),
        plan=prepared.plan,
        gate=gate,
        settings=settings,
        emit=on_event,
    )
