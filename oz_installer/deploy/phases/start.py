"""Runs the jobs and starts the services of one stage, and waits until all are healthy."""

from __future__ import annotations

from oz_installer.catalog.model import Stage
from oz_installer.deploy import cleaning, engines, health
from oz_installer.deploy import node as commands
from oz_installer.deploy.events import NodeProgress, ServiceState
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.run import Run
from oz_installer.deploy.saying import conclusion, folded, without_progress
from oz_installer.errors import DeployError
from oz_installer.remote import commands as engine_commands
from oz_installer.remote.transport import CommandResult
from oz_installer.render.bundle import BundleService
from oz_installer.render.compose import PROJECT

TITLES: dict[Stage, str] = {
    "foundation": "Start what the others stand on",
    "bio": "Start the BIOs",
    "app": "Start the API and its queues",
    "edge": "Start web servers and metrics",
}
JOB_SILENCE = 900.0


class _Hearing:
    """Tells what a job says while it runs, a line at a time."""

    def __init__(self, run: Run, node: str, job: str) -> None:
        self._run, self._node, self._job = run, node, job
        self._heard = b""

    def __call__(self, part: bytes) -> None:
        """A part of its output."""
        *lines, self._heard = (self._heard + part).split(b"\n")
        for line in lines:
            if words := without_progress(line.decode("utf-8", "replace")).strip():
                text = self._run.settings.masker(f"{self._job}: {words}")
                self._run.emit(NodeProgress(node=self._node, text=text))


def _failure(run: Run, node: str, job: BundleService, result: CommandResult) -> DeployError:
    said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
    last = conclusion(run.settings.masker(said)) or f"status {result.status}"
    return DeployError(
        f"{job.name} ({job.title[:1].lower()}{job.title[1:]}) failed: {last}",
        "Mend what it says and run oz-install again.",
        node=node,
        details=run.settings.masker(folded(without_progress(said))),
    )


class Start(Phase):
    """Jobs of the stage first, on all nodes; then its services; then their health."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.title = TITLES[stage]
        self._finished: list[tuple[str, str]] = []

    def should_run(self, run: Run) -> bool:
        """Only where a job or service of this stage changes."""
        return any(self._jobs(run, node) or self._services(run, node) for node in run.nodes)

    def run(self, run: Run) -> None:
        """Raises DeployError with log lines and health output of what does not come up."""
        working = [n for n in run.nodes if self._jobs(run, n)]
        run.each(
            working, lambda node: self._run_jobs(run, node), abort=lambda node: self._end_jobs(run, node)
        )
        run.check_cancelled()
        starting = [n for n in run.nodes if self._services(run, n)]
        run.each(starting, lambda node: self._start(run, node))

    def undo(self, run: Run) -> None:
        """Forget the jobs, so that the next run does them again (they notice what is there already)."""
        nodes = tuple(dict.fromkeys(node for node, _ in self._finished))
        run.each(nodes, lambda node: self._forget(run, node))

    def _forget(self, run: Run, node: str) -> None:
        for job in (job for at, job in self._finished if at == node):
            before = run.facts[node].jobs.get(job)
            argv = (
                commands.finished(run.settings.install_dir, run.id, job, before)
                if before
                else commands.forget(run.settings.install_dir, run.id, job)
            )
            run.change(node, f"forget {job}", argv)

    def _end_jobs(self, run: Run, node: str) -> None:
        """Remove the containers of jobs under way, which ends their commands."""
        argv = cleaning.end_jobs(run.settings.engine, PROJECT)
        run.gate.change(run.transports[node], "end the jobs under way", argv)

    def _jobs(self, run: Run, node: str) -> list[BundleService]:
        wanted = run.plan.of(node).jobs
        return [job for job in run.bundles[node].jobs if job.stage == self.stage and job.name in wanted]

    def _services(self, run: Run, node: str) -> list[BundleService]:
        wanted = {change.name for change in run.plan.of(node).services if change.action != "remove"}
        return [s for s in run.bundles[node].running if s.stage == self.stage and s.name in wanted]

    def _run_jobs(self, run: Run, node: str) -> None:
        for job in self._jobs(run, node):
            run.check_cancelled()
            run.emit(ServiceState(node=node, service=job.name, state="starting"))
            argv = engine_commands.compose_run(run.compose[node], PROJECT, run.settings.install_dir, job.name)
            result = run.gate.change(
                run.transports[node],
                f"run {job.name}",
                argv,
                timeout=JOB_SILENCE,
                on_output=_Hearing(run, node, job.name),
            )
            if not result.ok:
                raise _failure(run, node, job, result)
            done = commands.finished(run.settings.install_dir, run.id, job.name, job.digest)
            run.change(node, f"remember that {job.name} is done", done)
            self._finished.append((node, job.name))
            run.emit(ServiceState(node=node, service=job.name, state="finished"))

    def _start(self, run: Run, node: str) -> None:
        services = self._services(run, node)
        actions = {change.name: change.action for change in run.plan.of(node).services}
        up = [s.name for s in services if actions[s.name] in ("start", "recreate")]
        for service in services:
            run.emit(ServiceState(node=node, service=service.name, state="starting"))
        run.emit(
            NodeProgress(
                node=node, text=f"starting {len(services)} service{'' if len(services) == 1 else 's'}"
            )
        )
        if up:
            argv = engine_commands.compose_up(run.compose[node], PROJECT, run.settings.install_dir, up)
            self._up(run, node, up, argv)
        for service in services:
            if actions[service.name] == "restart":
                argv = engine_commands.restart_container(run.settings.engine, service.name)
                run.change(node, f"restart {service.name}", argv)
        run.gate.wait(lambda: health.wait(run, node, services))

    def _up(self, run: Run, node: str, names: list[str], argv: tuple[str, ...]) -> None:
        try:
            result = run.change(node, f"start {', '.join(names)}", argv, timeout=600.0)
            run.gate.wait(lambda: engines.were_started(run, node, names, result))
        except DeployError as error:
            states = engines.states(run, node)
            crashed = [name for name in names if name in states and not states[name].running]
            error.details = "\n".join(
                (error.details, *(engines.why(run, node, name) for name in crashed[:3]))
            )
            raise
