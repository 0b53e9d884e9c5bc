"""What an installation looks like when it stands: services with their states, URLs, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from oz_installer.catalog.model import Port
from oz_installer.topology.model import Placed, Topology, TopologyNode
from oz_installer.topology.wiring import bracketed

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One service on one node. ``ports`` are those open on the node, such as ``8521, 60000-60100``."""

    node: str
    service: str
    state: str
    image: str
    ports: str = ""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All that the closing table and the wizard's last screen tell; never a password."""

    rows: tuple[SummaryRow, ...] = ()
    urls: tuple[tuple[str, str], ...] = ()
    secrets_file: Path | None = None
    admin_email: str = ""
    notes: tuple[str, ...] = ()
    report: Path | None = None


def summary_of(
    topology: Topology,
    states: Mapping[str, str],
    *,
    secrets_file: Path | None = None,
    admin_email: str = "",
    report: Path | None = None,
) -> Summary:
    """Sum up. ``states`` holds states by ``Placed.service_key``; what it lacks is ``unknown``."""
    rows = tuple(
        SummaryRow(
            node=node.name,
            service=placed.name,
            state=states.get(placed.service_key, UNKNOWN),
            image=placed.image,
            ports=ports_text(open_ports(topology, placed)),
        )
        for node in topology.nodes
        for placed in node.services
    )
    return Summary(
        rows=rows,
        urls=tuple(_urls(topology)),
        secrets_file=secrets_file,
        admin_email=admin_email,
        notes=tuple(_notes(topology, admin_email, secrets_file)),
        report=report,
    )


def open_ports(topology: Topology, placed: Placed) -> tuple[Port, ...]:
    """The ports of a service that are open on its node."""
    return tuple(port for port in placed.kind.ports if _holds(topology, port.when))


def _holds(topology: Topology, condition: str) -> bool:
    """Whether a condition of the catalogue is met, told from what was planned."""
    counted = {"several_apis": topology.api_nodes, "several_bios": topology.bio_nodes}
    if condition in counted:
        return len(counted[condition]) > 1
    if condition == "always":
        return True
    return any(placed.kind.when == condition for node in topology.nodes for placed in node.services)


def port_text(port: int, last: int | None) -> str:
    """``8880`` or ``60000-60100``."""
    return f"{port}-{last}" if last else str(port)


def ports_text(ports: tuple[Port, ...]) -> str:
    """All of them in one line, in the catalogue's order."""
    return ", ".join(port_text(port.host, port.last) for port in ports)


def _urls(topology: Topology) -> Iterator[tuple[str, str]]:
    """Label and URL of everything that a person or a program may open, the public one first."""
    yield "Public", topology.public_url
    for node in topology.where("oz-load-balancer"):
        yield "API, load balancer", _url(topology, node, "oz-load-balancer", "/api/version")
    several = len(topology.api_nodes) > 1
    for node in topology.where("oz-api-nginx"):
        label = f"API on {node.name}" if several else "API"
        yield label, _url(topology, node, "oz-api-nginx", "/api/version")
    for label, kind, path in (
        ("Web UI", "oz-webui", "/"),
        ("Web adapter", "oz-web-adapter", "/"),
        ("Metrics, queues", "oz-api-flower", "/metrics/flower/metrics"),
        ("Metrics, Redis", "oz-redis-exporter", "/metrics/redis"),
        ("Metrics, PostgreSQL", "oz-postgres-exporter", "/metrics"),
    ):
        for node in topology.where(kind):
            yield label, _url(topology, node, kind, path)
    for node in topology.where("oz-nginx-exporter"):
        label = f"Metrics, nginx on {node.name}" if several else "Metrics, nginx"
        yield label, _url(topology, node, "oz-nginx-exporter", "/metrics/nginx")
    for node in topology.bio_nodes:
        if node.has("oz-tfss"):
            yield f"Metrics, BIO on {node.name}", _url(topology, node, "oz-tfss", "/metrics/tfss")


def _url(topology: Topology, node: TopologyNode, kind: str, path: str) -> str:
    placed = next(placed for placed in node.services if placed.kind.name == kind)
    port = open_ports(topology, placed)[0].host
    return f"http://{bracketed(node.address)}:{port}{path}"


def _notes(topology: Topology, admin_email: str, secrets_file: Path | None) -> Iterator[str]:
    yield from topology.notes
    if topology.where("oz-webui"):
        who = f" as {admin_email}" if admin_email else ""
        where = "; the password is in the secrets file" if secrets_file else ""
        yield f"Open the web UI and log in{who}{where}."
    if secrets_file:
        yield "Keep a copy of the secrets file in a safe place: a rerun needs it."
    yield "oz-install status shows this table again; oz-install logs shows what a service says."
