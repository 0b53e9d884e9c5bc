"""The last log lines of a service, on every target where it runs."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.deploy.events import EmitEvent
from oz_installer.errors import AnswersError
from oz_installer.installation.connect import connected
from oz_installer.installation.desired_state.inputs import read_inputs
from oz_installer.installation.platform import OpenTransport, ServiceLogs
from oz_installer.topology.model import PlacedService, Topology


def read_logs(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    service: str,
    lines: int,
    *,
    ask: Ask | None = None,
    emit: EmitEvent | None = None,
) -> ServiceLogs:
    """Read the last log lines of a service, by container name or catalogue name.

    ``emit`` gets the events of the phases that connect and read facts.
    Raises AnswersError when there is no such service, or passwords are lost.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    placed = {one.service_key: one for one in find_services(inputs.topology, service)}
    homes = {one.node for one in placed.values()}
    only = [node.name for node in loaded.answers.nodes if node.name in homes]
    with connected(inputs, open_transport, only=only, emit=emit) as connection:
        read = connection.logs({key: (one.node, one.name) for key, one in placed.items()}, lines)
        lost = {key: connection.failures.get(one.node) for key, one in placed.items()}
    failures = {**{key: error.message for key, error in lost.items() if error}, **read.failures}
    return ServiceLogs(
        texts={key: read.texts[key] for key in placed if key in read.texts},
        failures={key: failures[key] for key in placed if key in failures},
    )


def find_services(topology: Topology, service: str) -> list[PlacedService]:
    """Return the services of that name. Raises AnswersError when there is none."""
    every = [one for node in topology.nodes for one in node.services]
    named = [one for one in every if service in (one.name, one.service.name)]
    if found := [one for one in named if not one.service.job]:
        return found
    if named:
        raise AnswersError(
            f"{service} is a job, which runs once and keeps no log",
            "The output of a failed job is shown at once and saved next to the answers.",
        )
    known = list(dict.fromkeys(one.name for one in every if not one.service.job))
    close = get_close_matches(service.lower()[:64], known, n=1, cutoff=0.6)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise AnswersError(f"no service is called {service!r}{meant}", f"Known: {', '.join(known)}.")
