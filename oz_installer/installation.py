"""The core that both front ends call: ``prepare`` says what would change, ``execute`` changes it."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.model import Answers, Node
from oz_installer.answers.paths import located, store_path
from oz_installer.answers.secrets import Ask, Secrets, resolve
from oz_installer.deploy import node as commands
from oz_installer.deploy.events import Event
from oz_installer.deploy.facts import ContainerFact, NodeFacts, parse_facts
from oz_installer.deploy.gate import Gate, LiveGate
from oz_installer.deploy.plan import Plan
from oz_installer.deploy.planning import plan_changes
from oz_installer.deploy.settings import RegistryLogin, RunSettings
from oz_installer.errors import AnswersError, ConnectError, OzError, PreflightError, Problem
from oz_installer.remote.commands import logs
from oz_installer.render.bundle import Bundle, render
from oz_installer.render.config import secret_slots
from oz_installer.secret import MASK, Secret
from oz_installer.topology.layout import roles_of
from oz_installer.topology.model import Topology
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.summary import Summary, summary_of

if TYPE_CHECKING:
    from oz_installer.deploy.run import Run
    from oz_installer.remote.transport import Transport

OpenTransport = Callable[[Node, Secrets], "Transport"]
SSH_SECRETS = ("password", "key_passphrase", "become_password")


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """All that follows from the answers alone: what ``render`` writes and ``prepare`` compares."""

    loaded: LoadedAnswers
    path: Path
    topology: Topology
    bundles: Mapping[str, Bundle]
    secrets: Secrets
    licences: Mapping[str, bytes] = field(repr=False)

    @property
    def answers(self) -> Answers:
        """The answers that it was made from."""
        return self.loaded.answers

    @property
    def secrets_file(self) -> Path:
        """Where generated secrets are kept."""
        return store_path(self.path)

    def shown(self, node: str) -> dict[str, bytes]:
        """The node's secret files as they may be shown: every secret replaced by a mask."""
        masked = {slot: Secret(MASK) for slot in self.secrets}
        bundles = render(self.answers, self.topology, masked, self.licences)
        bundle = next(bundle for bundle in bundles if bundle.node == node)
        return {
            file.path: _shown(file.path, file.content, file.digest) for file in bundle.files if file.secret
        }


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Connections, facts and the plan. ``close`` ends the connections."""

    blueprint: Blueprint
    transports: Mapping[str, Transport]
    facts: Mapping[str, NodeFacts]
    plan: Plan

    def close(self) -> None:
        """End every connection."""
        for transport in self.transports.values():
            transport.close()


def draft_blueprint(loaded: LoadedAnswers, path: Path, *, ask: Ask | None, connecting: bool) -> Blueprint:
    """Work out topology and bundles. Raises AnswersError; contacts nobody.

    ``connecting`` also fetches the secrets that only logins need.
    """
    topology, secrets, licences = _inputs(loaded, path, ask=ask, connecting=connecting)
    return _blueprint(loaded, path, topology, secrets, licences)


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
    topology, secrets, licences = _inputs(loaded, path, ask=ask, connecting=True)
    chosen = _limited(loaded.answers, limit)
    with ThreadPoolExecutor(len(chosen), thread_name_prefix="connect") as pool:
        opening = {node.name: pool.submit(open_transport, node, secrets) for node in chosen}
        try:
            blueprint = _blueprint(loaded, path, topology, secrets, licences)
            transports = _opened(opening)
        except BaseException:
            _close_all(opening)
            raise
    try:
        facts = look(blueprint, transports)
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
    return Prepared(blueprint=blueprint, transports=transports, facts=facts, plan=plan)


def look(
    blueprint: Blueprint, transports: Mapping[str, Transport], *, detailed: bool = False
) -> dict[str, NodeFacts]:
    """Read the facts of every node, in one round trip each, all at once.

    Details come where another bundle is installed, or when they are asked for.
    """

    def read(name: str) -> NodeFacts:
        bundle, answers = blueprint.bundles[name], blueprint.answers
        argv = commands.look(
            answers.install_dir, answers.engine, "" if detailed else bundle.digest, bundle.images
        )
        result = transports[name].run(argv)
        try:
            return parse_facts(name, result.text)
        except (ValueError, KeyError) as error:
            said = result.errors[-300:] or "nothing"
            raise PreflightError(
                f"cannot read the state of the node: {error}; it said: {said}",
                "Does its login have a plain shell?",
                node=name,
            ) from error

    with ThreadPoolExecutor(max(len(transports), 1), thread_name_prefix="look") as pool:
        futures = {name: pool.submit(read, name) for name in transports}
        return {name: future.result() for name, future in futures.items()}


def execute(
    prepared: Prepared,
    on_event: Callable[[Event], None],
    *,
    gate: Gate | None = None,
    health_timeout: float | None = None,
) -> None:
    """Carry the plan out. Raises DeployError, PreflightError, LockedError or Interrupted; what this run
    had changed has been taken back then."""
    from oz_installer.deploy.recipes import install
    from oz_installer.deploy.runner import run_phases

    run_phases(install(), _run(prepared, on_event, gate or LiveGate(), health_timeout))


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
    topology, secrets, _ = _inputs(loaded, path, ask=ask, connecting=True)
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
    with ThreadPoolExecutor(len(homes), thread_name_prefix="connect") as pool:
        transports = _opened({node.name: pool.submit(open_transport, node, secrets) for node in homes})
    try:
        argvs = {one.service_key: (one.node, logs(loaded.answers.engine, one.name, lines)) for one in placed}
        found = {key: transports[node].run(argv) for key, (node, argv) in argvs.items()}
    finally:
        for transport in transports.values():
            transport.close()
    masker = secrets.masker()
    return {key: masker((one.stdout + one.stderr).decode("utf-8", "replace")) for key, one in found.items()}


def with_diffs(prepared: Prepared) -> Plan:
    """The plan with a unified diff of every file that differs, secrets masked. One more look a node."""
    from oz_installer.deploy.diffs import add_diffs

    nodes = []
    for plan in prepared.plan.nodes:
        if not plan.files:
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
        facts=dict(prepared.facts),
        plan=prepared.plan,
        gate=gate,
        settings=settings,
        emit=on_event,
    )


def _inputs(
    loaded: LoadedAnswers, path: Path, *, ask: Ask | None, connecting: bool
) -> tuple[Topology, Secrets, dict[str, bytes]]:
    try:
        topology = plan_topology(loaded.answers)
    except AnswersError as error:
        raise AnswersError(
            error.message, error.hint, problems=[loaded.place(p) for p in error.problems]
        ) from None
    licences = _licences(loaded, path, topology)
    secrets = resolve(
        loaded.answers,
        base=path.parent,
        ask=ask,
        store_path=store_path(path),
        slots=secret_slots(topology),
        wanted=lambda slot: connecting or not _is_login(slot),
        place=loaded.place,
    )
    return topology, secrets, licences


def _is_login(slot: str) -> bool:
    return slot.startswith("nodes.") or slot == "registry.password"


def _blueprint(
    loaded: LoadedAnswers, path: Path, topology: Topology, secrets: Secrets, licences: Mapping[str, bytes]
) -> Blueprint:
    bundles = {bundle.node: bundle for bundle in render(loaded.answers, topology, secrets, licences)}
    return Blueprint(
        loaded=loaded, path=path, topology=topology, bundles=bundles, secrets=secrets, licences=licences
    )


def _licences(loaded: LoadedAnswers, path: Path, topology: Topology) -> dict[str, bytes]:
    """Read the licence files that some service mounts. Raises AnswersError naming those that cannot be."""
    wanted = sorted(
        {
            mount.source.removeprefix("licence:")
            for node in topology.nodes
            for placed in node.services
            for mount in placed.kind.mounts
            if mount.source.startswith("licence:")
        }
    )
    found, problems = {}, []
    for key in wanted:
        file = located(getattr(loaded.answers.license, key), path.parent)
        try:
            content = file.read_bytes()
        except OSError as error:
            problems.append(_licence_problem(loaded, key, f"{file} cannot be read: {error.strerror}"))
            continue
        if not content.strip():
            problems.append(_licence_problem(loaded, key, f"{file} is empty"))
        found[key] = content
    if problems:
        raise AnswersError("a licence file is missing", problems=problems)
    return found


def _licence_problem(loaded: LoadedAnswers, key: str, message: str) -> Problem:
    hint = "name the file that Oz Forensics gave you"
    return loaded.place(Problem(key=f"license.{key}", message=message, hint=hint))


def _limited(answers: Answers, limit: Sequence[str]) -> list[Node]:
    names = [node.name for node in answers.nodes]
    unknown = [name for name in limit if name not in names]
    if unknown:
        raise AnswersError(
            f"--limit names no node of the answers: {', '.join(unknown)}", f"Known: {', '.join(names)}."
        )
    return [node for node in answers.nodes if not limit or node.name in limit]


def _opened(opening: Mapping[str, Future[Transport]]) -> dict[str, Transport]:
    failures = [error for future in opening.values() if (error := future.exception()) is not None]
    if failures:
        raise _all_failures(failures)
    return {name: future.result() for name, future in opening.items()}


def _all_failures(failures: Sequence[BaseException]) -> BaseException:
    known = [error for error in failures if isinstance(error, OzError)]
    if len(known) < len(failures):
        return next(error for error in failures if not isinstance(error, OzError))
    if len(known) > 1:
        hints = list(dict.fromkeys(error.hint for error in known if error.hint))
        return ConnectError("\n".join(str(error) for error in known), "\n      ".join(hints))
    return known[0]


def _close_all(opening: Mapping[str, Future[Transport]]) -> None:
    for future in opening.values():
        if not future.cancel() and future.exception() is None:
            future.result().close()


def _shown(path: str, content: bytes, digest: str) -> bytes:
    if path.startswith("licence/"):
        return json.dumps({"licence": path, "sha256": digest}).encode() + b"\n"
    return content


def roles_text(answers: Answers) -> str:
    """Roles by node, for one line."""
    return ", ".join(f"{name}: {'+'.join(roles)}" for name, roles in roles_of(answers).items())
