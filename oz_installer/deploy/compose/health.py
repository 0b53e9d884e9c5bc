"""Wait until containers are healthy, by short polls.

An engine runs a health check for the first time after a whole interval, a minute with the vendor's figures.
So the check of a starting container is run at once; the container is healthy when it passes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Literal

from oz_installer.deploy.command_output import LineSplitter
from oz_installer.deploy.compose import container_engine
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import ContainerFact
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import NodeProgress, ServiceState
from oz_installer.errors import DeployError
from oz_installer.remote import docker_commands
from oz_installer.render.compose.bundle import BundleService
from oz_installer.text import safe_line

POLL_SECONDS = 0.3
CHECK_SECONDS = 4
CRASHING_SECONDS = 20.0
SHOWN_FAILURES = 3
"""The number of polls after which a check that fails shows its output."""
_LONGEST_OUTPUT = 200


class HealthProgress:
    """The services of a node that are not healthy yet, for waits that run in parallel."""

    def __init__(self, services: Iterable[BundleService]) -> None:
        self._pending = dict.fromkeys((service.name for service in services), 0)
        self._outputs: dict[str, str] = {}
        self._total = len(self._pending)
        self._lock = threading.Lock()

    def fail(self, name: str, output: str) -> None:
        """Note that a service's check has failed for a few seconds, and its output."""
        with self._lock:
            self._pending[name] = self._pending.get(name, 0) + 1
            self._outputs[name] = output

    def _wait_text(self) -> str:
        """Name what is pending; what keeps failing, with the last output of its check."""
        named = [
            f"{name} ({self._outputs[name]})" if failures >= SHOWN_FAILURES and self._outputs[name] else name
            for name, failures in self._pending.items()
        ]
        return f"waiting for {', '.join(named)}" if named else "all healthy"

    def report(self, run: NodesRun, node: str, healthy: str = "") -> None:
        """Report to the front end; ``healthy`` is a service that has just become healthy."""
        with self._lock:
            self._pending.pop(healthy, None)
            text = self._wait_text()
            done = self._total - len(self._pending)
            run.emit(NodeProgress(node=node, text=text, done=done, total=self._total, unit="services"))


def wait_healthy(
    run: NodesRun, node: str, services: Sequence[BundleService], progress: HealthProgress | None = None
) -> bool:
    """Wait until every service is healthy, then return True.

    ``progress`` may be that of more services. Raises DeployError when one is unhealthy, keeps crashing, or is
    not healthy within its start timeout (its start period and all retries, or the run's own limit).
    """
    began, progress = monotonic(), progress or HealthProgress(services)
    pending = {service.name: service for service in services}
    down_since: dict[str, float] = {}
    crashed: set[str] = set()
    while pending:
        run.check_cancelled()
        turn = monotonic()
        _run_checks(run, node, pending, progress)
        if not pending:
            break
        states = container_engine.engine_of(run).states(run, node)
        now = monotonic()
        checked = any(service.health_command for service in pending.values())
        for name, service in tuple(pending.items()):
            state = states.get(name)
            if not service.health_command and checked:
                continue  # services without a check come last: by then one that crashes at once has crashed
            if state is not None and state.is_healthy:
                _mark_healthy(run, node, pending, service, progress)
                continue
            if state is not None and state.running:
                down_since.pop(name, None)
            else:
                down_since.setdefault(name, now)
                _start_again(run, node, name, state, crashed)
            down = now - down_since.get(name, now)
            _require_alive(run, node, service, state, waited=now - began, down=down, crashed=name in crashed)
        if pending:
            progress.report(run, node)
            run.cancelled.wait(max(0.0, POLL_SECONDS - (monotonic() - turn)))
    return True


def _start_again(run: NodesRun, node: str, name: str, state: ContainerFact | None, crashed: set[str]) -> None:
    """Start a container that stopped for good, once: not one of ``crashed``.

    Its engine itself starts again only what crashes. A stop that a dead run had asked for may come late.
    """
    if name not in crashed and state is not None and state.status.lower().startswith("exited"):
        argv = docker_commands.start_container(run.settings.engine, name)
        run.try_change(node, f"start {name} again", argv)
    crashed.add(name)


def _run_checks(
    run: NodesRun, node: str, pending: dict[str, BundleService], progress: HealthProgress
) -> None:
    """Run the checks of pending services for a few seconds; those that pass leave ``pending``."""
    checks = [
        (service.name, service.health_command) for service in pending.values() if service.health_command
    ]
    if not checks:
        return
    lines = LineSplitter()

    def read_names(part: bytes) -> None:
        for line in lines.feed(part):
            name, failed, output = line.decode("utf-8", "replace").partition("\t")
            if failed and name in pending:
                progress.fail(name, safe_line(run.settings.masker(output).strip(), _LONGEST_OUTPUT))
            elif service := pending.get(name):
                _mark_healthy(run, node, pending, service, progress)

    argv = commands.run_health_checks(run.settings.engine, CHECK_SECONDS, checks)
    run.transports[node].run(argv, on_output=read_names)


def _mark_healthy(
    run: NodesRun,
    node: str,
    pending: dict[str, BundleService],
    service: BundleService,
    progress: HealthProgress,
) -> None:
    del pending[service.name]
    known: Literal["healthy", "running"] = "healthy" if service.health_command else "running"
    run.emit(ServiceState(node=node, service=service.name, state=known))
    progress.report(run, node, service.name)


def _require_alive(
    run: NodesRun,
    node: str,
    service: BundleService,
    state: ContainerFact | None,
    *,
    waited: float,
    down: float,
    crashed: bool,
) -> None:
    timeout = run.settings.health_timeout or service.start_timeout
    if state is not None and state.running and state.health == "unhealthy":
        problem, known = "is unhealthy", "unhealthy"
    elif down > min(CRASHING_SECONDS, timeout) or (crashed and waited > timeout):
        problem, known = f"does not stay up ({state.status if state else 'no container'})", "exited"
    elif waited > timeout:
        problem, known = f"is not healthy after {waited:.0f} s", "unhealthy"
    else:
        return
    run.emit(ServiceState(node=node, service=service.name, state=known))  # type: ignore[arg-type]
    raise DeployError(
        f"{service.name} ({service.title}) {problem}",
        "Fix the cause shown by its last log lines and health output above, then run oz-install again.",
        node=node,
        details=container_engine.diagnostics(run, node, service.name),
    )
