"""The last log lines of a service, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.errors import AnswersError, OzError
from oz_installer.installation.desired_state.desired_state import read_inputs
from oz_installer.installation.desired_state.secrets_guard import require_matching_secrets
from oz_installer.installation.nodes.connect_all import OpenTransport, connect_all
from oz_installer.installation.prepare import connectors
from oz_installer.remote.docker_commands import logs, with_stderr
from oz_installer.remote.parallel import start_all
from oz_installer.secret import Masker
from oz_installer.topology.model import PlacedService, Topology

if TYPE_CHECKING:
    from oz_installer.remote.transport import Transport


@dataclass(frozen=True, kw_only=True)
class ServiceLogs:
    """Texts by ``node/service``, secrets masked; and of those that cannot be read: why not."""

    texts: Mapping[str, str]
    failures: Mapping[str, str]


def read_logs(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    service: str,
    lines: int,
    *,
    ask: Ask | None = None,
) -> ServiceLogs:
    """The last log lines of a service. ``service`` is a container's name or its catalogue name.

    Raises AnswersError when nothing of that name keeps running anywhere, or passwords are lost.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    placed = find_services(inputs.topology, service)
    homes = [node for node in loaded.answers.nodes if node.name in {one.node for one in placed}]
    looked, failed, desired_state = connect_all(homes, *connectors(inputs, open_transport))
    transports = {name: one.transport for name, one in looked.items()}
    try:
        # a password that is lost could not be masked
        require_matching_secrets(desired_state, {name: one.facts for name, one in looked.items()})
        return _read(placed, transports, failed, loaded.answers.engine, lines, inputs.secrets.masker())
    finally:
        for transport in transports.values():
            transport.close()


def _read(
    placed: Sequence[PlacedService],
    transports: Mapping[str, Transport],
    failed: Mapping[str, OzError],
    engine: str,
    lines: int,
    masker: Masker,
) -> ServiceLogs:
    by_key = {one.service_key: one for one in placed}
    there = [key for key, one in by_key.items() if one.node in transports]
    reading = start_all(
        there,
        lambda key: transports[by_key[key].node].run(with_stderr(logs(engine, by_key[key].name, lines))),
    )
    texts: dict[str, str] = {}
    failures: dict[str, str] = {}
    for key, one in by_key.items():
        if one.node in failed:
            failures[key] = failed[one.node].message
            continue
        try:
            result = reading[key].result()
        except OzError as error:
            failures[key] = error.message
            continue
        text = masker(result.stdout.decode("utf-8", "replace"))
        if result.ok:
            texts[key] = text
        else:
            failures[key] = _why(text)
    return ServiceLogs(texts=texts, failures=failures)


def _why(said: str) -> str:
    lowered = said.lower()
    if "no such container" in lowered or "no container with name" in lowered:
        return "there is no such container on the node"
    return " ".join(said.split())[-300:] or "the engine does not say why"


def find_services(topology: Topology, service: str) -> list[PlacedService]:
    """What keeps running under that name. Raises AnswersError when nothing does."""
    every = [one for node in topology.nodes for one in node.services]
    named = [one for one in every if service in (one.name, one.service.name)]
    if found := [one for one in named if not one.service.job]:
        return found
    if named:
        raise AnswersError(
            f"{service} is a job, which runs once and keeps no log",
            "What a job says when it fails is shown at once, and kept beside the answers.",
        )
    known = list(dict.fromkeys(one.name for one in every if not one.service.job))
    close = get_close_matches(service.lower()[:64], known, n=1, cutoff=0.6)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise AnswersError(f"no service is called {service!r}{meant}", f"Known: {', '.join(known)}.")
