"""The preflight step: checks of nodes, database and storage before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from oz_installer.checks.context import Finding
from oz_installer.formatting.findings import HERE, detail_rows, total_text
from oz_installer.text import plural, single_line
from oz_installer.tui.controllers.install_jobs import ChecksDone, JobStage, check
from oz_installer.tui.messages import JobFailed, JobFinished, Validation
from oz_installer.tui.screens.step_screen import StepScreen
from oz_installer.tui.timer import OneShotTimer
from oz_installer.tui.views.preflight_rows import ORDER, finding_rows, in_report_order
from oz_installer.tui.views.rows import failure_rows
from oz_installer.tui.views.styled_rows import Tone
from oz_installer.tui.widgets.button import FlatButton
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.row_list import RowList
from oz_installer.tui.widgets.static_text import LiveText

if TYPE_CHECKING:
    from oz_installer.answers.drafts.working_copy import WorkingCopy

NOT_RUN = (
    "«Run the checks» connects to every node and checks",
    "machine, engine, ports, database, storage, licences.",
    "It changes nothing.",
)
MOST_LISTED = 12
"""Most warnings that the question before all are accepted lists."""


class PreflightScreen(StepScreen):
    """Table of findings, details of one, and actions."""

    STEP: ClassVar[str] = "preflight"

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Finding] = []
        self._checked_for: WorkingCopy | None = None
        self._over = False
        self._dirty = False
        self._refused = False

    def body(self) -> ComposeResult:
        """Compose summary, table, details and buttons."""
        yield Form("accept", id="accepted")
        yield LiveText(id="summary")
        yield RowList(pick=True, id="findings")
        yield RowList(id="detail")
        with Horizontal(classes="actions"):
            yield FlatButton("Run the checks", id="run", primary=True)
            yield FlatButton("Accept this warning", id="accept", disabled=True)
            yield FlatButton("Accept all", id="accept-all", disabled=True)

    def on_mount(self) -> None:
        """Focus the button that runs the checks."""
        table = self.query_one("#findings", RowList)
        table.pick = False
        table.show([(line, "muted") for line in NOT_RUN])
        self.query_one("#detail").display = self.query_one("#summary").display = False
        self.query_one("#accepted").display = False
        self.query_one("#run").focus()

    # --- what is shown --------------------------------------------------------------------------------
    @property
    def accepted(self) -> tuple[str, ...]:
        """Ids of the warnings that the answers accept."""
        return self.wizard.session.accepted

    @property
    def failures(self) -> int:
        """Number of failed checks."""
        return sum(one.level == "failure" for one in self.found)

    @property
    def open_warnings(self) -> tuple[Finding, ...]:
        """Warnings that are not accepted."""
        return tuple(
            one for one in self.found if one.level == "warning" and not one.is_accepted(self.accepted)
        )

    def changed(self, working: WorkingCopy, judged: Validation | None) -> None:  # noqa: ARG002
        """Refresh accepted warnings and whether the findings are current."""
        accepted = self.query_one("#accepted")
        if judged is not None and not accepted.has_focus_within:
            accepted.display = judged.problem("accept") is not None
        if self._checked_for is not None:
            self._show()

    def _show(self) -> None:
        self._dirty = False
        table = self.query_one("#findings", RowList)
        now = self._chosen()
        self.found = in_report_order(self.found, self._checked_for)
        table.pick = bool(self.found)
        table.show(finding_rows(self.found, self.accepted))
        if now is not None:
            table.put_cursor(self.found.index(now))
        self._show_summary()
        self._show_detail()

    def _show_new(self) -> None:
        """Show findings that came since; late ones must not hide why the checks could not run."""
        if self._dirty:
            self._show()

    def _chosen(self) -> Finding | None:
        index = self.query_one("#findings", RowList).cursor
        return self.found[index] if index < len(self.found) else None

    def _show_summary(self) -> None:
        text = total_text(self.found, self.accepted)
        running, stale = self.jobs.running("check"), self._is_stale
        look = "-bad" if self.failures else "-warning" if self.open_warnings else "-good"
        if running:
            text, look = f"Checking: {text}", ""
        elif stale:
            text, look = f"The answers have changed since; run again. {text}", "-warning"
        elif not self._over:
            text, look = f"Stopped early. {text}", "-warning"
        summary = self.query_one("#summary", LiveText)
        summary.set_classes(look)
        summary.set_text(text)
        button = self.query_one("#run", FlatButton)
        button.relabel("Stop" if running else "Run again")
        self.query_one("#accept-all", FlatButton).disabled = running or not self.open_warnings

    @property
    def _is_stale(self) -> bool:
        return self._checked_for is not None and self._checked_for != self.working.without("accept")

    def _show_detail(self) -> None:
        one = self._chosen()
        detail = self.query_one("#detail", RowList)
        detail.show(detail_rows(one, self.query_one("#findings").size.width - 4) if one else (), top=True)
        detail.display = one is not None
        button = self.query_one("#accept", FlatButton)
        button.disabled = one is None or one.level != "warning"
        taken = one is not None and one.is_accepted(self.accepted)
        button.relabel("Do not accept" if taken else "Accept this warning")

    @on(RowList.Moved, "#findings")
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._show_detail()

    def on_resize(self) -> None:
        """Wrap the details again."""
        self.call_after_refresh(self._show_detail)

    # --- running --------------------------------------------------------------------------------------
    @on(FlatButton.Pressed, "#run")
    def _run_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        if self.jobs.running("check"):
            self._stop.set()
            self.show_status("Stopping ...")
        elif self.refused():
            return
        else:
            self.from_memory(self._run)

    def _run(self) -> None:
        core, path, unsaved = self.core, self.wizard.session.path, self.unsaved()
        self.query_one("#summary").display = True
        self.found, self._over, self._refused = [], False, False
        self._checked_for = self.working.without("accept")
        self.wizard.session.preflight_passed_for = None
        self._stop = self.start("check", lambda post, stop: check(core, path, unsaved, post, stop))
        self._show()

    def receive(self, report: object) -> None:
        """Handle findings, drawn at most ten times a second, and the end of the checks."""
        match report:
            case JobStage(text=text):
                self.show_status(text)
            case Finding():
                self.found.append(report)
                if not self._dirty:
                    self._dirty = True
                    OneShotTimer(self, 0.1, self._show_new)
            case JobFinished(job="check", result=ChecksDone(stopped=stopped)):
                self._over = not stopped
                self._ended()
            case JobFailed(message=message, hint=hint, details=details):
                self.wizard.asking.forget()
                self.found, self._checked_for, self._refused, self._dirty = [], None, True, False
                table = self.query_one("#findings", RowList)
                table.pick = False
                table.show(failure_rows(message, hint, details, table.size.width - 3), top=True)
                self.query_one("#detail").display = False
                self.query_one("#accept-all", FlatButton).disabled = True
                self.query_one("#run", FlatButton).relabel("Run again")
                self.query_one("#summary", LiveText).set_text("The checks could not run.")
                self.show_status(f"error: {message}", "-bad")

    def _ended(self) -> None:
        if self.failures:
            self.wizard.asking.forget()  # the prompted password may have been wrong
        if self._over and not self.failures and not self._is_stale:
            self.wizard.session.preflight_passed_for = self._checked_for
            self.wizard.session.preflight_warnings = tuple(
                one for one in self.found if one.level == "warning"
            )
        self._show()
        first = min(self.found, key=lambda one: ORDER[one.level], default=None)
        if first is not None and first.level != "ok":
            self.query_one("#findings", RowList).put_cursor(self.found.index(first))
            self._show_detail()
        good = self._over and not self.open_warnings
        tone: Tone = "-bad" if self.failures else "-good" if good else "-warning"
        done = "Checked." if self._over else "Stopped."
        self.show_status(f"{done} {total_text(self.found, self.accepted)}", tone)

    # --- next -----------------------------------------------------------------------------------------
    @on(FlatButton.Pressed, "#accept")
    def _accept_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        one = self._chosen()
        if one is None or one.level != "warning":
            return
        taken = one.is_accepted(self.accepted)
        rest = tuple(name for name in self.accepted if name not in (one.id, one.id.partition("/")[0]))
        self.wizard.change("accept", (rest if taken else (*rest, one.id)) or None)
        self.show_status(f"{'No longer accepted' if taken else 'Accepted'}: {one.id}. Save to keep it.")
        if not taken:
            self._to_next_warning()

    @on(FlatButton.Pressed, "#accept-all")
    def _accept_all_pressed(self, event: FlatButton.Pressed) -> None:
        event.stop()
        from oz_installer.tui.dialogs.confirm import Confirm

        warnings = self.open_warnings
        lines = [
            f"- {one.node or HERE}: {one.subject}: {single_line(one.seen)}" for one in warnings[:MOST_LISTED]
        ]
        if len(warnings) > MOST_LISTED:
            lines.append(f"and {len(warnings) - MOST_LISTED} more")
        question = "\n".join([f"Accept {plural(len(warnings), 'warning')}?", *lines])
        asked = Confirm(question, yes="Accept them", no="Not yet")
        self.app.push_screen(asked, lambda sure: self._accept_all(warnings) if sure else None)

    def _accept_all(self, warnings: Sequence[Finding]) -> None:
        self.wizard.change("accept", (*self.accepted, *dict.fromkeys(one.id for one in warnings)))
        self.show_status(f"Accepted {plural(len(warnings), 'warning')}. Save to keep that.")
        self._to_next_warning()

    def _to_next_warning(self) -> None:
        """Move to the next warning to decide on, or to Next."""
        left = self.open_warnings
        if left:
            self.query_one("#findings", RowList).put_cursor(self.found.index(left[0]))
            self._show_detail()
        elif not self.failures:
            self.query_one("#next").focus()

    def action_next(self) -> None:
        """Go to the next step unless a check failed; ask when warnings are not accepted."""
        if self._refused:
            self.show_status("! The checks could not run: fix the error above, then run them again.", "-bad")
            return
        if self.failures and not self._is_stale:
            self.show_status(
                f"! {plural(self.failures, 'check')} failed: fix each FAILURE, then run the checks again.",
                "-bad",
            )
            return
        if self.open_warnings and not self._is_stale:
            from oz_installer.tui.dialogs.confirm import Confirm

            what = plural(len(self.open_warnings), "warning")
            asked = Confirm(f"Continue despite {what}?", yes="Continue", no="Stay here")
            self.app.push_screen(asked, lambda sure: self.wizard.go("install") if sure else None)
            return
        super().action_next()
