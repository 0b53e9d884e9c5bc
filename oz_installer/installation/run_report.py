"""The report of a run, saved next to the answers: plan, log, status."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from time import time
from typing import TYPE_CHECKING

from oz_installer import __version__
from oz_installer.answers.local_files import write_private
from oz_installer.deploy.events import Event

if TYPE_CHECKING:
    from oz_installer.deploy.plan import Plan
    from oz_installer.installation.desired_state.desired_state import DesiredState
    from oz_installer.topology.summary import Summary

CHANGED, LOG, RUNS = "Planned changes", "Log", "Status"


def report_path(answers: Path) -> Path:
    """Return ``answers.report.txt`` for ``answers.yml``."""
    return answers.with_suffix(".report.txt")


class RunReport:
    """Records the events of a run and writes the report at its end, and again with the status.

    ``write_error`` is why it could not be written. Nothing is written for a run that never began.
    """

    def __init__(self, desired_state: DesiredState, plan: Plan, before: Sequence[Event] = ()) -> None:
        """Start with the events ``before`` the run: connecting and reading facts."""
        self.path = report_path(desired_state.path)
        self.write_error = ""
        self._desired_state, self._plan = desired_state, plan
        self._events: list[Event] = list(before)
        self._lock = Lock()
        self._began: float | None = None
        self._error = ""

    def recording(self, on_event: Callable[[Event], None]) -> Callable[[Event], None]:
        """Return a handler that records each event and passes it on. Any thread may call it."""
        from oz_installer.formatting.events import mask_event

        self._began, masker = time(), self._desired_state.secrets.masker()

        def record(event: Event) -> None:
            with self._lock:
                self._events.append(mask_event(event, masker))
            on_event(event)

        return record

    def failed(self, error: Exception) -> None:
        """Record the error that ended the run."""
        self._error = self._desired_state.secrets.masker()(str(error))

    def write(self, summary: Summary | None = None) -> Path | None:
        """Write the report, readable by its owner only. Return its path; None if there is no report."""
        if self._began is not None:
            text = self._desired_state.secrets.masker()("\n".join(self._lines(self._began, summary)) + "\n")
            try:
                write_private(self.path, text.encode())
            except OSError as error:
                self.write_error = f"{self.path}: {error.strerror}"
                return None
        return self.path if self.path.is_file() else None

    def _lines(self, began: float, summary: Summary | None) -> Iterator[str]:
        from oz_installer.formatting.plan import plan_text
        from oz_installer.formatting.summary import summary_text

        answers, path = self._desired_state.answers, self._desired_state.path
        yield f"Report of oz-install {__version__}"
        yield ""
        yield f"Answers  {path}"
        yield f"Oz API   {answers.release}, {self._desired_state.topology.layout}, {answers.engine}"
        yield f"Started  {datetime.fromtimestamp(began, UTC):%Y-%m-%d %H:%M:%S} UTC"
        yield f"Rerun    oz-install --answers {shlex.quote(str(path))}"
        for title, text in (
            (CHANGED, plan_text(self._plan)),
            (LOG, "\n".join(self._log(began))),
            (RUNS, summary_text(summary) if summary else ""),
        ):
            if text:
                yield from ("", title, "=" * len(title), text.rstrip())

    def _log(self, began: float) -> Iterator[str]:
        from oz_installer.formatting.events import event_lines
        from oz_installer.text import one_line, strip_control

        with self._lock:
            events = tuple(self._events)
        for event in events:
            for line in event_lines(event):
                yield f"[{max(event.at - began, 0):3.0f} s] {one_line(line)}"
        if self._error:
            yield f"error: {strip_control(self._error)}"
