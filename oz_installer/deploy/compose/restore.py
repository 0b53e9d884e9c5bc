"""Restart a node's previous services after its files were rolled back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from oz_installer.deploy.compose import container_engine, health
from oz_installer.deploy.compose.ephemeral_ports import start_when_port_free
from oz_installer.deploy.compose.facts import ContainerFact, NodeFacts
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.record import Record
from oz_installer.errors import DeployError
from oz_installer.remote import docker_commands
from oz_installer.render.compose.bundle import BundleService
from oz_installer.render.project import PROJECT

PATIENCE_SECONDS = 60
NANOSECONDS = 1_000_000_000


def restore_services(run: NodesRun, node: str, facts: NodeFacts) -> None:
    """Restart only the services that ran according to ``facts``.

    Waits until they are as healthy as then. Services that this run has not touched keep running. Raises
    DeployError.
    """
    engine = run.settings.engine
    recorded = facts.record.services if facts.record else {}
    now = container_engine.engine_of(run).states(run, node)
    if added := sorted({*now} - {*facts.containers}):
        run.change(node, f"remove {', '.join(added)}", docker_commands.remove_containers(engine, added))
    _stop_again(run, facts, recorded, now)
    before = {name: was for name in recorded if (was := facts.containers.get(name)) and _is_active(was)}
    touched = [name for name, was in before.items() if not _is_same(was, now.get(name))]
    if touched:
        up = docker_commands.compose_up(run.compose[node], PROJECT, run.settings.install_dir, touched)
        what = "start the previous services again"
        start_when_port_free(run, node, lambda: run.change(node, what, up, timeout=600.0))
        now = container_engine.engine_of(run).states(run, node)
    unhealthy = [name for name, was in before.items() if was.is_healthy and not _is_healthy(now.get(name))]
    if unhealthy:
        services = running_services(run, node, unhealthy)
        run.gate.wait(lambda: health.wait_healthy(run, node, services))


def _stop_again(
    run: NodesRun, facts: NodeFacts, recorded: Iterable[str], now: Mapping[str, ContainerFact]
) -> None:
    """Stop again the services that were stopped before, recreated from the previous files."""
    node = facts.node
    stopped = [one for one in facts.containers.values() if one.digest and not _is_active(one)]
    started = [was.name for was in stopped if (there := now.get(was.name)) and _is_active(there)]
    if started:
        argv = docker_commands.stop_containers(run.settings.engine, started)
        run.change(node, f"stop {', '.join(started)} again", argv)
    known = {*recorded}
    other = [was.name for was in stopped if was.name not in now or now[was.name].digest != was.digest]
    if recreated := [name for name in other if name in known]:
        _recreate(run, node, recreated, [name for name in recreated if name in now])
    if foreign := [name for name in other if name not in known and name in now]:
        argv = docker_commands.remove_containers(run.settings.engine, foreign)
        run.change(node, f"remove {', '.join(foreign)}", argv)


def as_verified(facts: NodeFacts, record: Record) -> NodeFacts:
    """Return the facts of a node on which all services of the record run and are healthy."""
    running = {
        name: ContainerFact(name=name, running=True, health="healthy", digest=digest, image="", status="Up")
        for name, digest in record.services.items()
    }
    return replace(facts, generation=record.generation, record=record, containers=running)


def _recreate(run: NodesRun, node: str, names: Sequence[str], there: Sequence[str]) -> None:
    """Create containers without starting them, or remove them: the next run creates them."""
    tool, in_place = run.compose[node], container_engine.engine_of(run).recreates_in_place
    remove = docker_commands.remove_containers(run.settings.engine, there)
    if there and not in_place:
        run.change(node, f"remove {', '.join(there)}", remove)
    create = docker_commands.compose_create(tool, PROJECT, run.settings.install_dir, names)
    try:
        run.change(node, f"create {', '.join(names)} as before, stopped", create, timeout=600.0)
    except DeployError as error:
        if there and in_place:
            run.change(node, f"remove {', '.join(there)}", remove)
        run.log(f"{error.message}; it did not run before and is removed", node, "warning")


def running_services(run: NodesRun, node: str, names: Sequence[str]) -> list[BundleService]:
    """Return containers as services to wait for, each with its own health check.

    The new files may define another health check, or no service of that name.
    """
    argv = docker_commands.inspect_containers(run.settings.engine, names)
    checks = health_checks_of(run.transports[node].run(argv).text)
    titles = {service.name: service.title for service in run.bundles[node].long_running}
    services = []
    for name in names:
        check, seconds = checks.get(name, ("", PATIENCE_SECONDS))
        services.append(
            BundleService(
                name=name,
                kind=name,
                title=titles.get(name, "of the previous files"),
                image="",
                stage="app",
                job=False,
                health_command=check,
                start_timeout=seconds,
                digest="",
            )
        )
    return services


def health_checks_of(inspected: str) -> dict[str, tuple[str, int]]:
    """Parse the output of ``inspect``: health check (shell line) and start timeout, by name.

    Empty when the output cannot be parsed.
    """
    try:
        found = json.loads(inspected)
        return {one["Name"].removeprefix("/"): _check(one["Config"].get("Healthcheck")) for one in found}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _check(healthcheck: Mapping[str, Any] | None) -> tuple[str, int]:
    kind, *words = (healthcheck or {}).get("Test") or ["NONE"]
    if healthcheck is None or kind not in ("CMD", "CMD-SHELL"):
        return "", PATIENCE_SECONDS
    each = (healthcheck.get("Interval") or 0) + (healthcheck.get("Timeout") or 0)
    whole = (healthcheck.get("StartPeriod") or 0) + each * (healthcheck.get("Retries") or 1)
    line = words[0] if kind == "CMD-SHELL" else shlex.join(words)
    return line, max(PATIENCE_SECONDS, whole // NANOSECONDS)


def _is_active(there: ContainerFact) -> bool:
    """Return whether a container is running, or is restarted by its engine again and again."""
    return there.running or there.status.lower().startswith("restarting")


def _is_same(was: ContainerFact, now: ContainerFact | None) -> bool:
    return now is not None and now.digest == was.digest and (now.running or not was.running)


def _is_healthy(there: ContainerFact | None) -> bool:
    return there is not None and there.is_healthy
