"""Run a job on a node and report its output. Masked first, then shortened."""

from __future__ import annotations

from oz_installer.deploy.command_output import (
    LONGEST_LINE,
    LineSplitter,
    beyond,
    collapse_repeats,
    drop_progress,
    last_message,
)
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import NodeProgress, ServiceState
from oz_installer.errors import DeployError
from oz_installer.remote import docker_commands
from oz_installer.remote.transport import CommandResult
from oz_installer.render.compose.bundle import BundleService
from oz_installer.render.project import PROJECT

JOB_SILENCE = 900.0


def run_job(run: NodesRun, node: str, job: BundleService) -> None:
    """Run one job to its end. Raises DeployError with its last message and its output."""
    run.emit(ServiceState(node=node, service=job.name, state="starting"))
    argv = docker_commands.compose_run(run.compose[node], PROJECT, run.settings.install_dir, job.name)
    output = JobOutput(run, node, job.name)
    result = run.try_change(node, f"run {job.name}", argv, timeout=JOB_SILENCE, on_output=output)
    output.end()
    if not result.ok:
        raise job_error(run, node, job, result)


class JobOutput:
    """Reports the output of a job as progress, line by line, while it runs."""

    def __init__(self, run: NodesRun, node: str, job: str) -> None:
        self._run, self._node, self._job = run, node, job
        self._lines = LineSplitter()

    def __call__(self, part: bytes) -> None:
        """Take the next piece of output."""
        for line in self._lines.feed(part):
            self._report(line)

    def end(self) -> None:
        """Report the last line, which may have no line break."""
        self._report(self._lines.end())

    def _report(self, line: bytes) -> None:
        text = self._run.settings.masker(line[-LONGEST_LINE:].decode("utf-8", "replace"))
        if words := drop_progress(text).strip():
            self._run.emit(NodeProgress(node=self._node, text=f"{self._job}: {words}"))


def job_error(run: NodesRun, node: str, job: BundleService, result: CommandResult) -> DeployError:
    """Return the error of a job that failed."""
    output = run.settings.masker((result.stdout + result.stderr).decode("utf-8", "replace")).strip()
    last = last_message(output) or f"status {result.status}"
    message = f"{job.name} ({job.title[:1].lower()}{job.title[1:]}) failed: {last}"
    return DeployError(
        message,
        "Fix the reported problem, then run oz-install again to resume.",
        node=node,
        details=beyond(message, collapse_repeats(drop_progress(output))),
    )
