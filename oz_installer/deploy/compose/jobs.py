"""Runs a job of a node, and tells what it says. Texts are masked before anything is cut from them."""

from __future__ import annotations

from oz_installer.deploy.command_output import collapse_repeats, drop_progress, last_message
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import NodeProgress, ServiceState
from oz_installer.errors import DeployError
from oz_installer.remote import docker_commands
from oz_installer.remote.transport import CommandResult
from oz_installer.render.compose.bundle import BundleService
from oz_installer.render.project import PROJECT

JOB_SILENCE = 900.0


def run_job(run: NodesRun, node: str, job: BundleService) -> None:
    """Run one job to its end. Raises DeployError with what it said."""
    run.emit(ServiceState(node=node, service=job.name, state="starting"))
    argv = docker_commands.compose_run(run.compose[node], PROJECT, run.settings.install_dir, job.name)
    hearing = JobOutput(run, node, job.name)
    result = run.gate.change(
        run.transports[node], f"run {job.name}", argv, timeout=JOB_SILENCE, on_output=hearing
    )
    hearing.end()
    if not result.ok:
        raise job_error(run, node, job, result)


class JobOutput:
    """Tells what a job says while it runs, a line at a time."""

    def __init__(self, run: NodesRun, node: str, job: str) -> None:
        self._run, self._node, self._job = run, node, job
        self._heard = b""

    def __call__(self, part: bytes) -> None:
        """A part of its output."""
        *lines, self._heard = (self._heard + part).split(b"\n")
        for line in lines:
            self._tell(line)

    def end(self) -> None:
        """Nothing more comes: the last line may have no end."""
        rest, self._heard = self._heard, b""
        self._tell(rest)

    def _tell(self, line: bytes) -> None:
        text = self._run.settings.masker(line.decode("utf-8", "replace"))
        if words := drop_progress(text).strip():
            self._run.emit(NodeProgress(node=self._node, text=f"{self._job}: {words}"))


def job_error(run: NodesRun, node: str, job: BundleService, result: CommandResult) -> DeployError:
    """What is told of a job that failed."""
    said = run.settings.masker((result.stdout + result.stderr).decode("utf-8", "replace")).strip()
    last = last_message(said) or f"status {result.status}"
    return DeployError(
        f"{job.name} ({job.title[:1].lower()}{job.title[1:]}) failed: {last}",
        "Mend what it says and run oz-install again.",
        node=node,
        details=collapse_repeats(drop_progress(said)),
    )
