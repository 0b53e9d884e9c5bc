"""The summary of an installation: services with their states, URLs and next steps."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from oz_installer.catalog.release import Endpoint, load_release
from oz_installer.catalog.service import Port
from oz_installer.text import join_and
from oz_installer.topology.model import Topology, TopologyNode
from oz_installer.topology.wiring import url_host

UNKNOWN = "unknown"
STARTING = "starting"
NOT_VERIFIED = "not verified"
"""A container is healthy, but the verification of its node failed or is missing."""
_MOST_NAMED = 4
HEALTHY_STATES = frozenset({"running", "healthy", "finished"})
"""Healthy states of services and jobs."""


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One service on one node; ``ports`` are open on the node, such as ``8521, 60000-60100``."""

    node: str
    service: str
    state: str
    image: str
    ports: str = ""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The content of the closing table and the wizard's last screen; never a password.

    ``troubles`` are nodes whose state could not be read, with the reason; ``not_installed`` are nodes without
    an installation. ``admin_kept``: the administrator's password is in the secrets file.
    """

    rows: tuple[SummaryRow, ...] = ()
    troubles: tuple[tuple[str, str], ...] = ()
    not_installed: tuple[str, ...] = ()
    urls: tuple[tuple[str, str], ...] = ()
    secrets_file: Path | None = None
    admin_email: str = ""
    admin_kept: bool = False
    notes: tuple[str, ...] = ()
    report: Path | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether everything is installed, readable and healthy."""
        whole = bool(self.rows) and not self.troubles and not self.not_installed
        return whole and all(row.state in HEALTHY_STATES for row in self.rows)


def summary_of(
    topology: Topology,
    states: Mapping[str, str],
    *,
    nodes: Collection[str] | None = None,
    secrets_file: Path | None = None,
    typed_secrets: Path | None = None,
    answers_file: Path | None = None,
    admin_email: str = "",
    admin_kept: bool = False,
) -> Summary:
    """Build the summary; ``states`` are by ``service_key``, and ``unknown`` if missing.

    Services of nodes other than ``nodes`` are left out.
    """
    rows = tuple(
        SummaryRow(
            node=node.name,
            service=placed.name,
            state=states.get(placed.service_key, UNKNOWN),
            image=placed.image,
            ports=ports_text(placed.ports),
        )
        for node in topology.nodes
        if nodes is None or node.name in nodes
        for placed in node.services
    )
    return Summary(
        rows=rows,
        urls=tuple(_urls(topology)),
        secrets_file=secrets_file,
        admin_email=admin_email,
        admin_kept=admin_kept,
        notes=(
            *_repair_notes(rows, answers_file),
            *_notes(topology, admin_email, (secrets_file, typed_secrets), answers_file),
        ),
    )


def port_text(port: int, last: int | None) -> str:
    """Format a port or a range: ``8880`` or ``60000-60100``."""
    return f"{port}-{last}" if last else str(port)


def ports_text(ports: tuple[Port, ...]) -> str:
    """Format the ports on one line, in the catalogue's order."""
    return ", ".join(port_text(port.host, port.last) for port in ports)


def _urls(topology: Topology) -> Iterator[tuple[str, str]]:
    """Yield label and URL of everything that users or monitoring may open, the public URL first."""
    yield "Public", topology.public_url
    for endpoint in load_release(topology.release).endpoints:
        nodes = topology.nodes_with(endpoint.service)
        for node in nodes:
            label = f"{endpoint.label} on {node.name}" if len(nodes) > 1 else endpoint.label
            yield label, _url(node, endpoint)


def _url(node: TopologyNode, endpoint: Endpoint) -> str:
    placed = next(placed for placed in node.services if placed.service.name == endpoint.service)
    return f"http://{url_host(node.address)}:{placed.ports[0].host}{endpoint.path}"


def _repair_notes(rows: Iterable[SummaryRow], answers_file: Path | None) -> Iterator[str]:
    ill = [row for row in rows if row.state not in HEALTHY_STATES | {UNKNOWN, STARTING}]
    if ill:
        services = join_and((f"{row.service} on {row.node}" for row in ill), _MOST_NAMED)
        yield f"Run oz-install {_answers(answers_file)} to repair {services}."


def _answers(file: Path | None) -> str:
    return f"--answers {shlex.quote(str(file or 'FILE'))}"


def _notes(
    topology: Topology, admin_email: str, secrets: Iterable[Path | None], answers_file: Path | None
) -> Iterator[str]:
    yield from topology.notes
    if topology.services_for("web-ui"):
        login = f" as {admin_email}" if admin_email else ""
        yield f"Open the web UI and log in{login}."
    if kept := join_and(str(path) for path in secrets if path):
        yield f"Keep a copy of {kept} in a safe place: a rerun needs the secrets."
    answers = _answers(answers_file)
    yield f"oz-install status {answers} shows this table again."
    yield f"oz-install logs {answers} SERVICE shows the log of a service."
