"""The status of an installation, with the errors of targets that cannot be read. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.deploy.events import EmitEvent
from oz_installer.deploy.outside import Outside
from oz_installer.errors import ConnectError, OzError
from oz_installer.frozen import dataclass
from oz_installer.installation.connect import connected, select_targets
from oz_installer.installation.desired_state.inputs import read_inputs
from oz_installer.installation.platform import OpenTransport
from oz_installer.installation.summary import public_url_note, summary_from
from oz_installer.secret import Masker
from oz_installer.topology.summary import Summary


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    """The summary, and hints for the targets that could not be read."""

    summary: Summary
    hints: tuple[str, ...]
    masker: Masker


def read_status(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    *,
    ask: Ask | None = None,
    limit: Sequence[str] = (),
    emit: EmitEvent | None = None,
) -> StatusReport:
    """Read the state of every service. A target that is down does not hold up the others.

    ``emit`` gets the events of the phases that connect and read facts.
    Raises AnswersError.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    only = select_targets(loaded.answers, limit)
    outside = Outside(inputs.topology)
    outside.start()
    with connected(inputs, open_transport, only=only, emit=emit) as connection:
        status = connection.status()
        troubles = {
            **{name: _trouble(error) for name, error in connection.failures.items()},
            **status.troubles,
        }
        seen = summary_from(connection.desired_state, status)
        notes = (
            f"On {name} a run that died left {text}. Run oz-install --answers {path} to remove it."
            for name, text in connection.leftovers().items()
        )
        summary = replace(
            seen,
            notes=(*seen.notes, *notes, *public_url_note(outside, status)),
            troubles=tuple((name, troubles[name][0]) for name in only if name in troubles),
            not_installed=status.not_installed,
        )
    hints = dict.fromkeys(hint for _, hint in troubles.values() if hint)
    return StatusReport(summary=summary, hints=tuple(hints), masker=inputs.secrets.masker())


def _trouble(error: OzError) -> tuple[str, str]:
    head = "unreachable: " if isinstance(error, ConnectError) else ""
    return f"{head}{error.message}", error.hint
