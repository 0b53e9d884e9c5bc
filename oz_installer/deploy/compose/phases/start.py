"""Run the jobs and start the services of one stage, and wait until all are healthy."""

from __future__ import annotations

from collections.abc import Sequence

from oz_installer.catalog.service import StartStage
from oz_installer.deploy.compose import cleanup_commands, container_engine, health
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.ephemeral_ports import start_when_port_free
from oz_installer.deploy.compose.facts import LOST
from oz_installer.deploy.compose.jobs import run_job
from oz_installer.deploy.compose.phases.start_groups import StartGroup, run_groups, start_groups
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import NodeProgress, ServiceState
from oz_installer.deploy.phase import Phase
from oz_installer.errors import DeployError
from oz_installer.remote import docker_commands as engine_commands
from oz_installer.remote.transport import CommandResult
from oz_installer.render.compose.bundle import BundleService
from oz_installer.render.project import PROJECT
from oz_installer.text import plural

TITLES: dict[StartStage, str] = {
    "foundation": "Start databases and brokers",
    "bio": "Start the BIOs",
    "app": "Start the API and its queues",
    "edge": "Start web servers and metrics",
}
ABORT_SILENCE = 30.0


class Start(Phase[NodesRun]):
    """Runs the jobs of a stage, then starts its services and waits for their health."""

    def __init__(self, stage: StartStage) -> None:
        self.stage = stage
        self.title = TITLES[stage]
        self._finished: list[tuple[str, BundleService]] = []

    def should_run(self, run: NodesRun) -> bool:
        """Return whether a job or service of this stage changes."""
        return any(self._jobs(run, node) or self._services(run, node) for node in run.nodes)

    def run(self, run: NodesRun) -> None:
        """Run and start. Raises DeployError with log and health output of a failed service."""
        working = [n for n in run.nodes if self._jobs(run, n)]
        run.each(
            working, lambda node: self._run_jobs(run, node), abort=lambda node: self._end_jobs(run, node)
        )
        run.check_cancelled()
        starting = [n for n in run.nodes if self._services(run, n)]
        run.each(starting, lambda node: self._start(run, node))

    def undo(self, run: NodesRun) -> None:
        """Unmark the jobs, so that the next run repeats them (they skip existing objects)."""
        nodes = tuple(dict.fromkeys(node for node, _ in self._finished))
        run.each(nodes, lambda node: self._unmark(run, node))

    def _unmark(self, run: NodesRun, node: str) -> None:
        for job in (job for at, job in self._finished if at == node):
            before = run.facts[node].jobs.get(job.name, LOST)
            argv = (
                commands.unmark_job(run.settings.install_dir, run.id, job.name)
                if before == LOST
                else _done(run, job, before)
            )
            run.change(node, f"unmark {job.name} as done", argv, housekeeping=True)

    def _end_jobs(self, run: NodesRun, node: str) -> None:
        """Remove the containers of running jobs, which ends their commands."""
        argv = cleanup_commands.remove_job_containers(run.settings.engine, PROJECT)
        run.change(node, "end the running jobs", argv, timeout=ABORT_SILENCE)

    def _jobs(self, run: NodesRun, node: str) -> list[BundleService]:
        wanted = run.plan.of(node).jobs
        return [job for job in run.bundles[node].jobs if job.stage == self.stage and job.name in wanted]

    def _services(self, run: NodesRun, node: str) -> list[BundleService]:
        wanted = {change.name for change in run.plan.of(node).services if change.action != "remove"}
        return [s for s in run.bundles[node].long_running if s.stage == self.stage and s.name in wanted]

    def _run_jobs(self, run: NodesRun, node: str) -> None:
        run.touched.add(node)
        for job in self._jobs(run, node):
            run.check_cancelled()
            run_job(run, node, job)
            self._finished.append((node, job))  # before: the connection may be lost when it is marked
            done = _done(run, job, job.digest)
            run.change(node, f"mark {job.name} as done", done, housekeeping=True)
            run.emit(ServiceState(node=node, service=job.name, state="finished"))

    def _start(self, run: NodesRun, node: str) -> None:
        run.touched.add(node)
        services = self._services(run, node)
        actions = {change.name: change.action for change in run.plan.of(node).services}
        progress = health.HealthProgress(services)
        run.emit(NodeProgress(node=node, text=f"starting {plural(len(services), 'service')}"))

        def start(group: StartGroup) -> None:
            run.check_cancelled()
            for service in group.services:
                run.emit(ServiceState(node=node, service=service.name, state="starting"))
            if group.how == "up":
                self._up(run, node, group.names)
            elif group.how == "restart":
                start_when_port_free(run, node, lambda: self._restart(run, node, group.names))
            run.gate.wait(lambda: health.wait_healthy(run, node, group.services, progress))

        run_groups(run, start_groups(services, actions, run.facts[node]), start)

    def _restart(self, run: NodesRun, node: str, names: Sequence[str]) -> None:
        for name in names:
            argv = engine_commands.restart_container(run.settings.engine, name)
            run.change(node, f"restart {name}", argv)

    def _up(self, run: NodesRun, node: str, names: Sequence[str]) -> None:
        argv = engine_commands.compose_up(run.compose[node], PROJECT, run.settings.install_dir, names)

        def start() -> None:
            result = run.change(node, f"start {', '.join(names)}", argv, timeout=600.0)
            run.gate.wait(lambda: _started(run, node, names, result))

        try:
            start_when_port_free(run, node, start)
        except DeployError as error:
            states = container_engine.engine_of(run).states(run, node)
            crashed = [name for name in names if name in states and not states[name].running]
            error.details = "\n".join(
                (error.details, *(container_engine.diagnostics(run, node, name) for name in crashed[:3]))
            )
            raise


def _done(run: NodesRun, job: BundleService, digest: str) -> tuple[str, ...]:
    settings = run.settings
    return commands.mark_job_done(settings.install_dir, run.id, job.name, digest, settings.engine, job.fills)


def _started(run: NodesRun, node: str, names: Sequence[str], result: CommandResult) -> bool:
    container_engine.engine_of(run).require_started(run, node, names, result)
    return True
