"""The summary of an installation: states, URLs, next steps."""

from __future__ import annotations

import threading
from dataclasses import replace

from oz_installer.answers.local_files import typed_secrets_dir
from oz_installer.deploy.outside import Outside
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.installation.platform import Status
from oz_installer.installation.prepare import Prepared
from oz_installer.topology.summary import Summary, summary_of


def summarise(prepared: Prepared, stop: threading.Event | None = None) -> Summary:
    """Read the facts again and return the summary, with the report of the last run.

    Raises Interrupted soon after ``stop`` is set.
    """
    outside = Outside(prepared.desired_state.topology)
    outside.start()
    status = prepared.connection.status(stop, refresh=True)
    seen = summary_from(prepared.desired_state, status)
    summary = replace(seen, notes=(*seen.notes, *public_url_note(outside, status)))
    report = prepared.report.write(summary)
    if trouble := prepared.report.write_error:
        notes = (*summary.notes, f"The report of this run could not be written: {trouble}.")
        return replace(summary, notes=notes)
    return replace(summary, report=report)


def public_url_note(outside: Outside, status: Status) -> tuple[str, ...]:
    """Return a note when what is installed does not answer at the public URL.

    Waits a few seconds for an answer."""
    if set(status.targets) <= set(status.not_installed) or not (problem := outside.problem()):
        return ()
    return (
        f"{problem}. Check DNS, firewall and load balancer from where users are; the states above are the "
        "nodes' own.",
    )


def summary_from(state: DesiredState, status: Status) -> Summary:
    """Return the summary of the targets whose state is known, without ``troubles``."""
    kept, typed = state.secrets_file.exists(), typed_secrets_dir(state.path)
    shown = [name for name in status.targets if name not in status.not_installed]
    return summary_of(
        state.topology,
        status.states,
        nodes=shown,
        secrets_file=state.secrets_file if kept else None,
        typed_secrets=typed if typed.is_dir() else None,
        answers_file=state.path,
        admin_email=state.answers.admin.email,
        admin_kept=kept and state.answers.admin.password is None,
    )
