"""The preflight of an installation, which stops on failures and unaccepted warnings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oz_installer.checks.context import Finding
from oz_installer.console.commands.check import (
    accept_hint,
    findings_json,
    findings_text,
    raise_on_failures,
)
from oz_installer.console.commands.check_task import require_running
from oz_installer.console.context import slow_notice
from oz_installer.console.finding_ids import unmatched_note
from oz_installer.console.output.streams import is_interactive, write
from oz_installer.console.signals import stop_on_signal
from oz_installer.errors import PreflightError
from oz_installer.installation.check import check_prepared, in_report_order
from oz_installer.installation.prepare import Prepared
from oz_installer.text import plural

if TYPE_CHECKING:
    from oz_installer.console.commands.install_flags import InstallFlags


def preflight(prepared: Prepared, flags: InstallFlags) -> int:
    """Run all checks. Return the number of warnings that the operator must still accept.

    Raises PreflightError when a check fails, or for warnings when there is no terminal to accept them;
    Interrupted.
    """
    if flags.skip_checks:
        return 0
    found = preflight_findings(prepared, quiet=flags.json)
    accepted = prepared.desired_state.answers.accept
    bad = [one for one in found if one.level != "ok" and not one.is_accepted(accepted)]
    if bad and flags.json:
        write(sys.stdout, findings_json(bad, accepted, total=False))
    elif bad:
        write(sys.stderr, findings_text(bad, accepted, of=found))
    raise_on_failures(bad)
    if bad and (flags.yes or not is_interactive(sys.stdin)):
        if not flags.json:
            write(sys.stderr, unmatched_note(prepared.desired_state.answers, found, typed=flags.accept))
        raise _not_accepted(bad)
    return len(bad)


def _not_accepted(warnings: Sequence[Finding]) -> PreflightError:
    message = f"{plural(len(warnings), 'warning')} not accepted; nothing was changed"
    return PreflightError(message, accept_hint(warnings))


def preflight_findings(prepared: Prepared, *, quiet: bool) -> list[Finding]:
    """Return the findings over the connections of a run, for a report. Raises Interrupted."""
    found: list[Finding] = []
    with stop_on_signal() as stop, slow_notice("Checking ...", quiet=quiet):
        check_prepared(prepared, found.append, stop)
        require_running(stop)
    return in_report_order(found, prepared.desired_state.answers)
