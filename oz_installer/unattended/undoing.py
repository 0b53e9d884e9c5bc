"""``oz-install check --undo``: takes back what ``check --fix`` did, by the list that it kept."""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.deploy.saying import counted
from oz_installer.errors import PreflightError
from oz_installer.installation.mending import elsewhere
from oz_installer.installation.undo_list import taking_back, undo_path
from oz_installer.unattended.checking import task_of
from oz_installer.unattended.context import Flags, Opener, Shared
from oz_installer.unattended.fixing import carry_out, confirm, could_not, show
from oz_installer.unattended.streams import write


def undo(path: Path, flags: Flags, opener: Opener, shared: Shared) -> None:
    """Show the commands, ask, run them, the last entry first, and note them as taken back.

    Raises AnswersError, PreflightError where something could not be taken back, Interrupted.
    """
    task, written = task_of(path, flags, opener, shared), undo_path(path.absolute())
    answers = task.loaded.answers
    listed = taking_back(written) if written.exists() else []
    listed = [one for one in listed if one.node in flags.limit or not flags.limit]
    others = [one for one in listed if elsewhere(answers, one)]
    remedies = [one for one in listed if one not in others]
    if remedies:
        show(task, [(one, None) for one in remedies], "taken back")
        confirm(flags)
        done = carry_out(task, remedies, back=True)
        if failed := [one for one in done if one.error]:
            hint = f"Mend that and run oz-install check --undo again. What is left stands in {written}."
            raise PreflightError(could_not(failed, "taken back"), hint)
    if others:
        first = f"{others[0].title}: {elsewhere(answers, others[0])}"
        left = f"{counted(len(others), 'thing')} cannot be taken back with these answers: {first}"
        raise PreflightError(left, f"The commands stand in {written}.")
    if not flags.json:
        said = (
            f"It is taken back, and noted so in {written}." if remedies else "There is nothing to take back."
        )
        write(sys.stderr, f"{said}\n")
