"""Lets a node run again what ran on it before a run, once the previous files are back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oz_installer.deploy.compose import container_engine, health
from oz_installer.deploy.compose.ephemeral_ports import start_when_port_free
from oz_installer.deploy.compose.facts import ContainerFact
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.errors import DeployError
from oz_installer.remote import docker_commands
from oz_installer.render.compose.bundle import BundleService
from oz_installer.render.project import PROJECT

PATIENCE_SECONDS = 60
NANOSECONDS = 1_000_000_000


def restore_services(run: NodesRun, node: str) -> None:
    """Let run what ran before, nothing else, and wait until it is as well as it was. What this run has not
    touched goes on as it is. Raises DeployError."""
    facts, engine = run.facts[node], run.settings.engine
    recorded = facts.record.services if facts.record else {}
    now = container_engine.engine_of(run).states(run, node)
    if added := sorted({*now} - {*facts.containers}):
        run.change(node, f"remove {', '.join(added)}", docker_commands.remove_containers(engine, added))
    _stop_again(run, node, recorded, now)
    before = {name: was for name in recorded if (was := facts.containers.get(name)) and _is_at_work(was)}
    touched = [name for name, was in before.items() if not _is_same(was, now.get(name))]
    if touched:
        up = docker_commands.compose_up(run.compose[node], PROJECT, run.settings.install_dir, touched)
        what = "start the previous services again"
        start_when_port_free(run, node, lambda: run.change(node, what, up, timeout=600.0))
        now = container_engine.engine_of(run).states(run, node)
    ill = [name for name, was in before.items() if was.is_healthy and not _is_well(now.get(name))]
    if ill:
        services = running_services(run, node, ill)
        run.gate.wait(lambda: health.wait_healthy(run, node, services))


def _stop_again(run: NodesRun, node: str, recorded: Iterable[str], now: Mapping[str, ContainerFact]) -> None:
    """What stood still before stands still again, made from the previous files."""
    still = [one for one in run.facts[node].containers.values() if one.digest and not _is_at_work(one)]
    started = [was.name for was in still if (there := now.get(was.name)) and _is_at_work(there)]
    if started:
        argv = docker_commands.stop_containers(run.settings.engine, started)
        run.change(node, f"stop {', '.join(started)} again", argv)
    known = {*recorded}
    other = [was.name for was in still if was.name not in now or now[was.name].digest != was.digest]
    if again := [name for name in other if name in known]:
        _make_again(run, node, again, [name for name in again if name in now])
    if foreign := [name for name in other if name not in known and name in now]:
        argv = docker_commands.remove_containers(run.settings.engine, foreign)
        run.change(node, f"remove {', '.join(foreign)}", argv)


def _make_again(run: NodesRun, node: str, names: Sequence[str], there: Sequence[str]) -> None:
    """Make containers without starting them. Where that fails they go: the next run makes them."""
    tool, in_place = run.compose[node], container_engine.engine_of(run).recreates_in_place
    remove = docker_commands.remove_containers(run.settings.engine, there)
    if there and not in_place:
        run.change(node, f"remove {', '.join(there)}", remove)
    create = docker_commands.compose_create(tool, PROJECT, run.settings.install_dir, names)
    try:
        run.change(node, f"make {', '.join(names)} as before, stopped", create, timeout=600.0)
    except DeployError as error:
        if there and in_place:
            run.change(node, f"remove {', '.join(there)}", remove)
        run.log(f"{error.message}; it did not run before, and is removed", node, "warning")


def running_services(run: NodesRun, node: str, names: Sequence[str]) -> list[BundleService]:
    """Containers as services to be waited for, each with the health check that it has itself: the new
    files may have another one, or none of that name."""
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
    """From what the engine says of containers: the health check as a line for a shell, and how long it may
    take in seconds. Empty where it says nothing that can be read."""
    try:
        found = json.loads(inspected)
        return {one["Name"].removeprefix("/"): _check(one["Config"].get("Healthcheck")) for one in found}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _check(said: Mapping[str, Any] | None) -> tuple[str, int]:
    kind, *words = (said or {}).get("Test") or ["NONE"]
    if said is None or kind not in ("CMD", "CMD-SHELL"):
        return "", PATIENCE_SECONDS
    each = (said.get("Interval") or 0) + (said.get("Timeout") or 0)
    whole = (said.get("StartPeriod") or 0) + each * (said.get("Retries") or 1)
    line = words[0] if kind == "CMD-SHELL" else shlex.join(words)
    return line, max(PATIENCE_SECONDS, whole // NANOSECONDS)


def _is_at_work(there: ContainerFact) -> bool:
    """Running, or started by its engine again and again."""
    return there.running or there.status.lower().startswith("restarting")


def _is_same(was: ContainerFact, now: ContainerFact | None) -> bool:
    return now is not None and now.digest == was.digest and (now.running or not was.running)


def _is_well(there: ContainerFact | None) -> bool:
    return there is not None and there.is_healthy
