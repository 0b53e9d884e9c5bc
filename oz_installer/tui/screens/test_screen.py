"""Base class of steps with a test from the nodes (F5) and its report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content

from oz_installer.text import plural
from oz_installer.tui.messages import JobFailed, JobFinished
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.views.findings import findings_lines, indented
from oz_installer.tui.views.test_results import without_roles
from oz_installer.tui.widgets.answer_widget import AnswerWidget
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.frame import StatusLine
from oz_installer.tui.widgets.test_report import TestReport

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.checks.context import Finding
    from oz_installer.installation.wizard.role_assignment import RoleAssignment
    from oz_installer.tui.jobs import Job
    from oz_installer.tui.messages import Validation

CHANGED = "The answers have changed since this test: test again."
MOVED = "The roles have changed since this test: test again."


@dataclass(frozen=True, kw_only=True)
class ServiceTestSubject:
    """Input of a test: answers, and the nodes that run the API, None while unknown."""

    answers: tuple[Any, ...] = field(repr=False)
    apis: tuple[str, ...] | None

    def why_stale(self, now: ServiceTestSubject) -> str:
        """Return what has changed since the test; empty when nothing has."""
        if self.answers != now.answers:
            return CHANGED
        return MOVED if None not in (self.apis, now.apis) and self.apis != now.apis else ""


class TestScreen(StepScreen):
    """A step that tests ``SECTION`` by ``test_job``; ``NEEDED`` is a key it may require."""

    SECTION: ClassVar[str]
    TEST: ClassVar[str]
    NEEDED: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [("f5", "test")]

    def __init__(self) -> None:
        super().__init__()
        self.assignment: RoleAssignment | None = None
        self.needed: str | None = None
        self._wrong: set[str] = set()
        self._looked_at: WorkingCopy | None = None
        self._findings: tuple[Finding, ...] = ()
        self._failed: tuple[str, str] | None = None
        self._tested: ServiceTestSubject | None = None

    # --- for a step to define -------------------------------------------------------------------------
    def test_job(self) -> Job:
        """Return the job that reports findings."""
        raise NotImplementedError

    def untestable(self) -> str:
        """Return why there is nothing to test; empty when there is something."""
        return ""

    def show(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Refresh after the answers, or the roles that follow from them, have changed."""

    # --- what is shown --------------------------------------------------------------------------------
    def test_part(self) -> ComposeResult:
        """Compose the button and the report."""
        with Horizontal(classes="actions"):
            yield FlatButton(self.TEST, id="test", key="F5", action="test")
        yield TestReport(id="found")

    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:
        """Work out roles and required answers again after each validation."""
        if judged is not None and working is not self._looked_at:
            self._looked_at = working
            core, key = self.core, self.NEEDED
            self.start(
                "around",
                lambda _post, _stop: (
                    core.role_assignment(working),
                    core.missing_reason(working, key) if key else None,
                ),
            )
        self.show(working, judged)
        self.query_one(TestReport).show(self._report)

    def show_form(self, wanted: tuple[str, ...], judged: Validation | None, *, blamed: bool = True) -> None:
        """Hide fields that do not apply, unless answered or, with ``blamed``, wrong.

        Problems are those of the last validation, so that no field flickers while typing.
        """
        if judged is not None:
            self._wrong = {key for key in self.keys() if key not in wanted and judged.problem(key)}
        for shown in self.walk_children(AnswerWidget):
            if len(shown.keys) == 1 and shown.keys[0].startswith(f"{self.SECTION}."):
                key = shown.keys[0]
                wrong = blamed and key in self._wrong
                shown.display = key in wanted or self.working.is_given(key) or wrong
                if judged is None and key in wanted:
                    shown.disabled = False  # the new choice needs this field: the next key may go to it

    def _report(self, width: int) -> Content:
        lines = []
        if self._tested is not None and (why := self._tested.why_stale(self._subject(self.working))):
            lines += [Content.styled(f"? {why}", "$text-warning")]
        if self._failed is not None:
            message, hint = self._failed
            lines += [Content.styled(line, "$text-error") for line in indented(f"! {message}", width)]
            lines += [Content(line) for line in indented(hint, width)]
        if self._findings:
            lines.append(findings_lines(self._findings, width))
        return Content("\n").join(lines)

    def _subject(self, working: WorkingCopy) -> ServiceTestSubject:
        answers = (working.values.get(self.SECTION), *map(working.get, ("release", "engine")))
        rows = [without_roles(row) for row in working.values.get("nodes", ())]
        return ServiceTestSubject(
            answers=(*answers, rows), apis=self.assignment.api_nodes if self.assignment else None
        )

    # --- the test -------------------------------------------------------------------------------------
    def action_test(self) -> None:
        """Start the test, or stop the one that runs."""
        if self.jobs.running("test"):
            self._end("Stopped.", "-warning")
            self.jobs.stop("test")
            return
        if self.refused():
            return
        if why := self.untestable():
            self.show_status(why, "-warning")
            return
        self._findings, self._failed, self._tested = (), None, self._subject(self.working)
        self.start("test", self.test_job())
        self.query_one("#test", FlatButton).relabel("Stop")
        self.show_status(f"{self.TEST} …")
        self._show_report()

    @on(FlatButton.Pressed, "#test")
    def _pushed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        self.action_test()

    def on_screen_resume(self) -> None:
        """Show the key in the status line: the button may be out of view."""
        super().on_screen_resume()
        self._hint()

    def _hint(self) -> None:
        quiet = not str(self.query_one(StatusLine).visual)
        if quiet and self._tested is None and self.assignment is not None and not self.untestable():
            self.show_status(f"F5: {self.TEST}")

    def on_screen_suspend(self) -> None:
        """Stop the test when another step is shown."""
        if self.wizard.step_screen is not self and self.jobs.running("test"):
            self._end("Stopped.", "-warning")
            self.jobs.stop("test")

    def receive(self, report: object) -> None:
        """Handle roles, a finding or the end of the test."""
        match report:
            case JobFinished(job="around", result=(assignment, needed)):
                first = self.assignment is None
                self.assignment, self.needed = assignment, needed
                self.follow()
                if first:
                    self._hint()
                return
            case JobFinished(job="test"):
                self._finished()
            case JobFailed(job="test", message=message, hint=hint):
                self._failed = (message, hint)
                self.wizard.asking.forget()
                self._end("The test could not run.", "-bad")
            case _:
                from oz_installer.checks.context import Finding

                if isinstance(report, Finding):
                    self._findings = (*self._findings, report)
        self._show_report()

    def _show_report(self) -> None:
        """Show the report and scroll it into view."""
        report = self.query_one(TestReport)
        report.show(self._report)
        report.call_after_refresh(report.scroll_visible, animate=False)

    def _finished(self) -> None:
        bad = sum(one.level == "failure" for one in self._findings)
        short = sum(one.level == "warning" for one in self._findings)
        if bad:
            self.wizard.asking.forget()  # the prompted password may have been wrong
            self._end(f"Tested: {bad} failed.", "-bad")
        elif short:
            self._end(f"Tested: {plural(short, 'warning')}.", "-warning")
        else:
            self._end("Tested: ok." if self._findings else "There is nothing to test.", "-good")

    def _end(self, text: str, tone: str) -> None:
        self.query_one("#test", FlatButton).relabel(self.TEST)
        self.show_status(text, tone)  # type: ignore[arg-type]
