"""Controller of node tests: starts jobs, records results, accepts host keys."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING

from oz_installer.tui.messages import JobFailed, JobFinished
from oz_installer.tui.views.test_results import NodeTests, may_accept, short_result, worst

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.views.styled_rows import Tone
    from oz_installer.tui.wizard_protocol import NodesView

JOB = "try-"


class NodeTestController:
    """Runs one job per press of Test, so that a slow node delays no other."""

    def __init__(self, screen: NodesView) -> None:
        self._screen = screen
        self.results = NodeTests()
        self._numbers = count(1)

    def state(self, working: WorkingCopy, index: int) -> tuple[str, Tone]:
        """Return the state of a node's test in a few characters, and its tone."""
        name = working.get(f"nodes[{index}].name")
        if name in self.results.pending:
            return "testing…", ""
        probe = self.results.of(working, name) if name else None
        return short_result(probe) if probe else ("-", "")

    def start(self, indexes: Iterable[int]) -> None:
        """Test the nodes with these indexes, unless their test is running."""
        if self._screen.refused():
            return
        working, core, path = self._screen.working, self._screen.core, self._screen.wizard.session.path
        given = [working.get(f"nodes[{index}].name") for index in indexes]
        names = [name for name in given if name and name not in self.results.pending]
        if not names:
            if not self.results.pending:
                self._screen.show_status(
                    "Nothing to test: a node needs a valid name and host first.", "-warning"
                )
            return
        job = f"{JOB}{next(self._numbers)}"
        self.results.begin(job, working, names)
        self._screen.show_status(f"Testing {', '.join(names)[:60]} …")
        self._screen.start(job, lambda post, stop: core.probe_nodes(working, path, names, post, stop))
        self._screen.show_nodes()

    def stop(self) -> None:
        """Stop all tests."""
        for job in self.results.jobs:
            self._screen.jobs.stop(job)
            self.results.end(job)

    def receive(self, report: object) -> None:
        """Handle the result of a node and the end of a job."""
        match report:
            case JobFinished(job=job) if job.startswith(JOB):
                self.results.end(job)
                self._over()
            case JobFailed(job=job, message=message, hint=hint) if job.startswith(JOB):
                self.results.end(job)
                self._screen.wizard.asking.forget()
                self._screen.show_status(f"error: {message}. {hint}", "-bad")
            case JobFinished() | JobFailed():
                return
            case _:
                from oz_installer.installation.wizard.probe import NodeProbe

                if isinstance(report, NodeProbe):
                    self.results.record(report)
                    if report.error and not may_accept(report):
                        self._screen.wizard.asking.forget(report.node)
                    self._screen.show_soon()
                return
        self._screen.show_nodes()

    def _over(self) -> None:
        """Report the end of all tests and offer the new host keys."""
        if self.results.pending:
            return
        working = self._screen.working
        states = [self.state(working, index) for index in range(working.nodes())]
        failed = sum(tone == "-bad" for _, tone in states)
        text = f"Tested: {failed} failed." if failed else "Tested."
        self._screen.show_status(text, worst(tone for _, tone in states))
        keys = self.results.unknown_keys(self._screen.working)
        if keys and self._screen.is_active:
            from oz_installer.tui.dialogs.host_keys import HostKeys

            self._screen.open_dialog(HostKeys(keys), lambda yes: self.accept(keys) if yes else None)

    def accept(self, names: Iterable[str]) -> None:
        """Write the host keys of these nodes into their answers and test them again."""
        working = self._screen.working
        keys = self.results.unknown_keys(working)
        wanted = [name for name in names if name in keys]
        if not wanted:
            self._screen.show_status("No new host key to accept: run Test first.", "-warning")
            return
        indexes = [index for index in range(working.nodes()) if working.get(f"nodes[{index}].name") in wanted]
        for index in indexes:
            working = working.with_value(
                f"nodes[{index}].host_key", keys[working.get(f"nodes[{index}].name")]
            )
        self._screen.wizard.edit(working)
        self.start(indexes)
