"""``oz-install check --undo``: takes back what ``check --fix`` did, by the list that it kept."""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.console.commands.check_task import CheckFlags, make_task
from oz_installer.console.commands.fix import confirm, failure_text, run_remedies, show_remedies
from oz_installer.console.context import Opener, RunState
from oz_installer.console.output.streams import write
from oz_installer.errors import PreflightError
from oz_installer.installation.repair import other_server
from oz_installer.installation.undo_log import pending_undos, undo_log_path
from oz_installer.text import plural


def undo(path: Path, flags: CheckFlags, opener: Opener, shared: RunState) -> None:
    """Show the commands, ask, run them, the last entry first, and note them as taken back.

    Raises AnswersError, PreflightError where something could not be taken back, Interrupted.
    """
    task, written = make_task(path, flags, opener, shared), undo_log_path(path.absolute())
    answers = task.loaded.answers
    listed = pending_undos(written) if written.exists() else []
    listed = [one for one in listed if one.node in flags.limit or not flags.limit]
    others = [one for one in listed if other_server(answers, one)]
    remedies = [one for one in listed if one not in others]
    if remedies:
        show_remedies(task, [(one, None) for one in remedies], "taken back")
        confirm(flags)
        done = run_remedies(task, remedies, back=True)
        if failed := [one for one in done if one.error]:
            hint = f"Mend that and run oz-install check --undo again. What is left stands in {written}."
            raise PreflightError(failure_text(failed, "taken back"), hint)
    if others:
        first = f"{others[0].title}: {other_server(answers, others[0])}"
        left = f"{plural(len(others), 'thing')} cannot be taken back with these answers: {first}"
        raise PreflightError(left, f"The commands stand in {written}.")
    if not flags.json:
        said = (
            f"It is taken back, and noted so in {written}." if remedies else "There is nothing to take back."
        )
        write(sys.stderr, f"{said}\n")
