"""Open the wizard with its core, and print hints and warnings at its exit."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oz_installer.console.output.streams import is_terminal, write
from oz_installer.errors import AnswersError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oz_installer.console.context import RunState
    from oz_installer.secret import Masker
    from oz_installer.tui.controllers.exit import ExitOutcome


def has_terminal() -> bool:
    """Return whether stdin and stdout are a terminal for the wizard."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)


def needs_completion(path: Path) -> bool:
    """Return whether the wizard should open to complete a file. Raises AnswersError."""
    if not has_terminal():
        return False
    from oz_installer.answers.drafts.working_copy import WorkingCopy
    from oz_installer.answers.file import parse_file
    from oz_installer.installation.wizard.pure_core import OfflineCore

    working = WorkingCopy.of(parse_file(path))
    return any(working.is_omitted(problem.key) for problem in OfflineCore().validate(working))


def open_wizard(path: Path | None = None, shared: RunState | None = None) -> int:
    """Run the wizard and return the exit code. ``shared`` gets the masker for error messages.

    Raises AnswersError without a terminal, Interrupted.
    """
    if not has_terminal():
        raise AnswersError(
            "there is no terminal for the wizard",
            "Give an answers file with --answers (see examples/), or run oz-install on a terminal.",
        )
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)  # if exported, they would fix the size of the wizard
    gc.disable()  # until the first frame is drawn and everything is loaded: see tui/internals/idle_gc.py
    from oz_installer.installation.wizard.core import InstallerCore
    from oz_installer.tui.app import WizardApp

    def learn(masker: Masker) -> None:
        if shared is not None:
            shared.masker = masker

    app = WizardApp(InstallerCore(_opener, learn), path.absolute() if path else None)
    if sys.platform != "win32":
        from oz_installer.tui.internals.terminal_driver import TerminalDriver

        app.driver_class = TerminalDriver
    outcome = app.run()
    if app.failure is not None:
        raise app.failure
    for warning in exit_warnings(outcome) if outcome is not None else ():
        write(sys.stderr, f"warning: {warning}\n")
    hint = _next_step(outcome) if outcome is not None else ""
    if outcome is not None and outcome.code:
        raise Interrupted("stopped at your request", hint)
    if hint:
        write(sys.stderr, f"{hint}\n")
    return 0


def exit_warnings(outcome: ExitOutcome) -> Iterator[str]:
    """Yield warnings about answers that were not, or perhaps not, saved."""
    if outcome.writing is not None:
        yield f"the wizard exited while saving: check that {outcome.writing} holds your answers"
    if outcome.lost:
        yield f"these answers were not saved and are lost: {outcome.lost}"


def _next_step(outcome: ExitOutcome) -> str:
    """Return where the answers are, and the command that applies them."""
    if outcome.draft_of is not None:
        return "Your answers are kept as a draft, without typed passwords: run oz-install to continue."
    if outcome.saved is None:
        return ""
    command = f"oz-install --answers {shlex.quote(str(outcome.saved))}"
    words = "To run it again unattended" if outcome.runs else "To apply them"
    return f"Your answers are in {outcome.saved}. {words}: {command}"


def _opener() -> Any:
    from oz_installer.installation.nodes.connect import transport_opener

    return transport_opener()
