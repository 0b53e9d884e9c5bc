"""The report of a run, kept beside the answers: what was to change, how it went, what runs where."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
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

CHANGED, LOG, RUNS = "What was to change", "How it went", "What runs where"


def report_path(answers: Path) -> Path:
    """``answers.yml`` -> ``answers.report.txt``, beside it."""
    return answers.with_suffix(".report.txt")


class RunReport:
    """Hears a run and writes it down when it has ended, and once more when what runs where is known.

    ``trouble`` says why it could not be written. Nothing is written of a run that never began.
    """

    def __init__(self, desired_state: DesiredState, plan: Plan) -> None:
        self.path = report_path(desired_state.path)
        self.write_error = ""
        self._blueprint, self._plan = desired_state, plan
        self._events: list[Event] = []
        self._lock = Lock()
        self._began: float | None = None
        self._error = ""

    def recording(self, on_event: Callable[[Event], None]) -> Callable[[Event], None]:
        """What takes a run's events from now on: they are noted, and handed on. Any thread may call."""
        from oz_installer.formatting.events import mask_event

        self._began, masker = time(), self._blueprint.secrets.masker()

        def hear(event: Event) -> None:
            with self._lock:
                self._events.append(mask_event(event, masker))
            on_event(event)

        return hear

    def failed(self, error: Exception) -> None:
        """The run ended with this."""
        self._error = self._blueprint.secrets.masker()(str(error))

    def write(self, summary: Summary | None = None) -> Path | None:
        """Write it, for its owner only; where it is. None when there is none, perhaps for a ``trouble``."""
        if self._began is not None:
            text = self._blueprint.secrets.masker()("\n".join(self._lines(self._began, summary)) + "\n")
            try:
                write_private(self.path, text.encode())
            except OSError as error:
                self.write_error = f"{self.path}: {error.strerror}"
                return None
        return self.path if self.path.is_file() else None

    def _lines(self, began: float, summary: Summary | None) -> Iterator[str]:
        from oz_installer.formatting.plan import plan_text
        from oz_installer.formatting.summary import summary_text

        answers, path = self._blueprint.answers, self._blueprint.path
        yield f"Report of oz-install {__version__}"
        yield ""
        yield f"Answers  {path}"
        yield f"Oz API   {answers.release}, {self._blueprint.topology.layout}, {answers.engine}"
        yield f"Began    {datetime.fromtimestamp(began, UTC):%Y-%m-%d %H:%M:%S} UTC"
        yield f"Again    oz-install --answers {shlex.quote(str(path))}"
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
