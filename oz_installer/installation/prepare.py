"""Prepare a run: connect to the targets, read their facts and compare. Changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.deploy.events import EmitEvent, Event
from oz_installer.deploy.plan import Plan
from oz_installer.frozen import dataclass
from oz_installer.installation.connect import one_error, open_connection, select_targets
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.installation.desired_state.inputs import read_inputs
from oz_installer.installation.desired_state.secrets_guard import require_all_nodes, require_matching_secrets
from oz_installer.installation.platform import Connection, OpenTransport
from oz_installer.installation.run_report import RunReport


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The open connection and the plan; ``report`` is written by ``apply``."""

    connection: Connection
    plan: Plan
    report: RunReport

    @property
    def desired_state(self) -> DesiredState:
        """The desired state that the plan leads to."""
        return self.connection.desired_state

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets of the plan, in the operator's order."""
        return self.connection.targets

    def require_engines(self) -> None:
        """Raise PreflightError naming the targets that do not meet the requirements of the plan."""
        self.connection.require_ready(self.plan)

    def remove_leftovers(self, *, dry_run: bool = False) -> tuple[str, ...]:
        """Remove what runs that died left on the targets; return a sentence for each target.

        Raises DeployError.
        """
        found = self.connection.leftovers()
        if found and not dry_run:
            self.connection.remove_leftovers()
        done = "a run that died had left" if dry_run else "removed what a run that died had left:"
        return tuple(f"{target}: {done} {text}" for target, text in found.items())

    def close(self) -> None:
        """Close every connection."""
        self.connection.close()


def prepare(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    *,
    ask: Ask | None = None,
    limit: Sequence[str] = (),
    new_secrets: bool = False,
    stop: threading.Event | None = None,
    emit: EmitEvent | None = None,
) -> Prepared:
    """Connect, read facts and plan. Changes and writes nothing.

    Raises AnswersError, also when passwords of the installation are lost, unless ``new_secrets`` is set;
    ConnectError with every target that cannot be reached, PreflightError; Interrupted soon
    after ``stop`` is set. ``emit`` gets the events of the phases that connect and read facts.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    only = select_targets(loaded.answers, limit)
    events: list[Event] = []

    def record(event: Event) -> None:
        events.append(event)
        if emit is not None:
            emit(event)

    connection = open_connection(inputs, open_transport, only=only, stop=stop, emit=record)
    try:
        if connection.failures:
            raise one_error(list(connection.failures.values()))
        if not new_secrets:
            require_matching_secrets(connection.desired_state, connection.facts)
            require_all_nodes(connection.desired_state, connection.facts)
        plan = connection.plan(stop)
    except BaseException:
        connection.close()
        raise
    report = RunReport(connection.desired_state, plan, events)
    return Prepared(connection=connection, plan=plan, report=report)
