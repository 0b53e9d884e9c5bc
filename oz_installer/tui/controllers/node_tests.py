"""Tries nodes for the screen of nodes: jobs, what they tell, and keys to accept."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING

from oz_installer.tui.core import JobFailed, JobFinished
from oz_installer.tui.views.test_results import NodeTests, may_accept, short_result, worst

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.tui.widgets.frame import Tone
    from oz_installer.tui.wizard_protocol import NodesView

JOB = "try-"


class NodeTestController:
    """A job for each push of a button, so that a slow node keeps no other waiting."""

    def __init__(self, screen: NodesView) -> None:
        self._screen = screen
        self.trials = NodeTests()
        self._numbers = count(1)

    def state(self, working: WorkingCopy, place: int) -> tuple[str, Tone]:
        """How a node stands, in a few characters."""
        name = working.get(f"nodes[{place}].name")
        if name in self.trials.pending:
            return "testing…", ""
        tried = self.trials.of(working, name) if name else None
        return short_result(tried) if tried else ("-", "")

    def start(self, places: Iterable[int]) -> None:
        """Try the nodes at these places, but for those that are being tried."""
        if self._screen.refused():
            return
        working, core, path = self._screen.working, self._screen.core, self._screen.wizard.session.path
        given = [working.get(f"nodes[{place}].name") for place in places]
        names = [name for name in given if name and name not in self.trials.pending]
        if not names:
            if not self.trials.pending:
                self._screen.say("Nothing to test: a node needs a right name and host first.", "-warning")
            return
        job = f"{JOB}{next(self._numbers)}"
        self.trials.begin(job, working, names)
        self._screen.say(f"Testing {', '.join(names)[:60]} …")
        self._screen.start(job, lambda tell, stop: core.probe_nodes(working, path, names, tell, stop))
        self._screen.show_nodes()

    def stop(self) -> None:
        """Nobody waits for it any more."""
        for job in self.trials.jobs:
            self._screen.jobs.stop(job)
            self.trials.end(job)

    def heard(self, news: object) -> None:
        """A node was tried, or a job is over."""
        match news:
            case JobFinished(job=job) if job.startswith(JOB):
                self.trials.end(job)
                self._over()
            case JobFailed(job=job, message=message, hint=hint) if job.startswith(JOB):
                self.trials.end(job)
                self._screen.wizard.asking.forget()
                self._screen.say(f"error: {message}. {hint}", "-bad")
            case JobFinished() | JobFailed():
                return
            case _:
                from oz_installer.installation.wizard.probe import NodeProbe

                if isinstance(news, NodeProbe):
                    self.trials.heard(news)
                    if news.error and not may_accept(news):
                        self._screen.wizard.asking.forget(news.node)
                    self._screen.show_soon()
                return
        self._screen.show_nodes()

    def _over(self) -> None:
        """All have answered: say so, and offer the new keys."""
        if self.trials.pending:
            return
        working = self._screen.working
        states = [self.state(working, place) for place in range(working.nodes())]
        failed = sum(tone == "-bad" for _, tone in states)
        said = f"Tested: {failed} failed." if failed else "Tested."
        self._screen.say(said, worst(tone for _, tone in states))
        keys = self.trials.unknown_keys(self._screen.working)
        if keys and self._screen.is_active:
            from oz_installer.tui.dialogs.host_keys import HostKeys

            self._screen.app.push_screen(HostKeys(keys), lambda yes: self.accept(keys) if yes else None)

    def accept(self, names: Iterable[str]) -> None:
        """Write the keys that these nodes have shown into their answers, and try them again."""
        working = self._screen.working
        keys = self.trials.unknown_keys(working)
        wanted = [name for name in names if name in keys]
        if not wanted:
            self._screen.say("There is no new key to accept: Test shows it.", "-warning")
            return
        places = [place for place in range(working.nodes()) if working.get(f"nodes[{place}].name") in wanted]
        for place in places:
            working = working.with_value(
                f"nodes[{place}].host_key", keys[working.get(f"nodes[{place}].name")]
            )
        self._screen.wizard.edit(working)
        self.start(places)
