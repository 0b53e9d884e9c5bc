"""One run of the checks for ``oz-install check``: its answers, its flags, its findings."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers, read
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.checks.context import Finding
from oz_installer.console.context import RunState, bind_opener, secret_prompt, slow_notice
from oz_installer.console.finding_ids import accept_ids, check_names
from oz_installer.console.output.streams import write
from oz_installer.console.signals import stop_on_signal
from oz_installer.errors import Interrupted
from oz_installer.installation.check import in_report_order, run_preflight
from oz_installer.installation.platform import Opener
from oz_installer.secret import Masker


@dataclass(frozen=True, kw_only=True)
class CheckFlags:
    """The flags of ``oz-install check``."""

    yes: bool = False
    limit: tuple[str, ...] = ()
    json: bool = False
    accept: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    fix: bool = False


@dataclass(frozen=True, kw_only=True)
class CheckTask:
    """The answers to check, and the function that connects to their nodes."""

    loaded: LoadedAnswers
    path: Path
    flags: CheckFlags
    open_node: Opener
    ask: Ask | None
    shared: RunState

    @property
    def masker(self) -> Masker:
        """The masker of the secrets, once they are known."""
        return self.shared.masker or Masker()


def make_task(path: Path, flags: CheckFlags, opener: Opener, shared: RunState) -> CheckTask:
    """Read the answers. Raises AnswersError."""
    loaded, only = accept_ids(read(path), flags.accept), check_names(flags.only)
    if (parts := [one for one in flags.only if one not in only]) and not flags.json:
        write(sys.stderr, f"{', '.join(parts)}: run as part of the check {', '.join(check_names(parts))}\n")
    flags = replace(flags, only=only)
    opened = bind_opener(opener, loaded, path)
    return CheckTask(
        loaded=loaded, path=path, flags=flags, open_node=opened, ask=secret_prompt(), shared=shared
    )


def run_check(task: CheckTask) -> list[Finding]:
    """Run the checks over connections of their own. Return findings in the order of a report.

    Raises AnswersError, Interrupted.
    """
    found: list[Finding] = []
    with stop_on_signal() as stop, slow_notice("Checking ...", quiet=task.flags.json):
        task.shared.masker = run_preflight(
            task.loaded,
            task.path,
            task.open_node,
            found.append,
            stop,
            ask=task.ask,
            limit=task.flags.limit,
            only=task.flags.only,
        )
        require_running(stop)
    return in_report_order(found, task.loaded.answers)


def require_running(stop: threading.Event) -> None:
    """Raise Interrupted once the run was asked to stop."""
    if stop.is_set():
        raise Interrupted("stopped at your request", "Nothing was changed.")
