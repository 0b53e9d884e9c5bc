"""``oz-install check --undo``: undo what ``check --fix`` did, from its undo log."""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.console.commands.check_task import CheckFlags, make_task
from oz_installer.console.commands.fix import confirm, failure_text, run_remedies, show_remedies
from oz_installer.console.context import RunState
from oz_installer.console.output.streams import write
from oz_installer.errors import PreflightError
from oz_installer.installation.platform import Opener
from oz_installer.installation.repair import other_server
from oz_installer.installation.undo_log import pending_undos, undo_log_path
from oz_installer.text import plural


def undo(path: Path, flags: CheckFlags, opener: Opener, shared: RunState) -> None:
    """Show the commands, ask, run them, the last entry first, and log them as undone.

    Raises AnswersError, PreflightError when something could not be undone, Interrupted.
    """
    task, log = make_task(path, flags, opener, shared), undo_log_path(path.absolute())
    answers = task.loaded.answers
    listed = pending_undos(log) if log.exists() else []
    listed = [one for one in listed if one.node in flags.limit or not flags.limit]
    others = [one for one in listed if other_server(answers, one)]
    remedies = [one for one in listed if one not in others]
    if remedies:
        show_remedies(task, [(one, None) for one in remedies], "undone")
        confirm(flags)
        done = run_remedies(task, remedies, back=True)
        if failed := [one for one in done if one.error]:
            hint = f"Fix the cause and run oz-install check --undo again. {log} has the remaining commands."
            raise PreflightError(failure_text(failed, "undone"), hint)
    if others:
        first = f"{others[0].title}: {other_server(answers, others[0])}"
        left = f"{plural(len(others), 'thing')} cannot be undone with these answers: {first}"
        raise PreflightError(left, f"Run the undo commands in {log} by hand.")
    if not flags.json:
        text = f"Undone, and recorded in {log}." if remedies else "There is nothing to undo."
        write(sys.stderr, f"{text}\n")
