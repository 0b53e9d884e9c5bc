"""The content of a node's box: address, resources, services by group with their open ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import wrap

from oz_installer.topology.model import Edge, PlacedService, TopologyNode
from oz_installer.topology.summary import port_text

# In the order in which a request passes them.
GROUPS = ("web", "app", "queues", "bio", "data", "metrics", "once")
_BY_STAGE: Mapping[str, str] = {"foundation": "data", "bio": "bio", "app": "app", "edge": "web"}
_LABEL = max(len(group) for group in GROUPS) + 2  # two blanks: the SVG treats that as a new column


def node_title(node: TopologyNode) -> str:
    """Return a title such as ``api1 · api, bio``."""
    return f"{node.name} · {', '.join(node.roles)}"


def node_lines(node: TopologyNode, width: int) -> tuple[str, ...]:
    """Return the lines of a node's box, of at most ``width`` characters."""
    needs = (
        f"{node.requirements.cpu} CPU, {node.requirements.memory} GB RAM, {node.requirements.disk} GB disk"
    )
    lines = address_lines(node.address, width)
    lines += wrap(f"needs {needs}", width)
    for group in GROUPS:
        members = [placed for placed in node.services if group_of(placed) == group]
        if members:
            members.sort(key=lambda placed: not placed.ports)
            items = queue_items(members) if group == "queues" else [_item(placed) for placed in members]
            lines += hanging_indent(group, items, width)
    return tuple(lines)


def address_lines(address: str, width: int) -> list[str]:
    """Break a long host name after its dots, so that each line has whole labels."""
    rows = [""]
    for label in address.replace(".", ". ").split():
        if rows[-1] and len(rows[-1]) + len(label) > width:
            rows.append("")
        rows[-1] += label
    return [line for row in rows for line in wrap(row, width, break_on_hyphens=False)]


def group_of(placed: PlacedService) -> str:
    """Return the group of a service, from its catalogue entry."""
    kind = placed.service
    if kind.job:
        return "once"
    if kind.queue:
        return "queues"
    if any("monitoring" in port.clients for port in kind.ports):
        return "metrics"
    return _BY_STAGE[kind.stage]


def queue_items(members: Iterable[PlacedService]) -> list[str]:
    """Return queues by name, with the number of workers if several: ``tfss ×2``."""
    counts: dict[str, int] = {}
    for placed in members:
        queue = placed.service.queue or placed.name
        counts[queue] = counts.get(queue, 0) + 1
    return [queue if count == 1 else f"{queue} ×{count}" for queue, count in counts.items()]


def _item(placed: PlacedService) -> str:
    ports = [f":{port_text(port.host, port.last)}" for port in placed.ports]
    return " ".join([placed.name, *ports])


def hanging_indent(label: str, items: Iterable[str], width: int) -> list[str]:
    """Wrap items after a label, between items where possible, indented under the first one."""
    room = width - _LABEL
    rows: list[str] = []
    for item in items:
        if rows and len(rows[-1]) + len(item) + 2 <= room - 1:
            rows[-1] += f", {item}"
            continue
        if rows:
            rows[-1] += ","
        rows += wrap(item, room - 1, break_on_hyphens=False) or [""]
    return [f"{label if number == 0 else '':<{_LABEL}}{row}" for number, row in enumerate(rows)]


def edge_text(edge: Edge) -> str:
    """Return a text such as ``8501 BIO``."""
    return f"{port_text(edge.port, edge.last_port)} {edge.purpose}"


def merge_edges(edges: Iterable[Edge], end: str, unnamed: Iterable[str] | None = None) -> list[str]:
    """Merge edges that differ in one end only into one text each.

    ``end`` is ``source`` or ``target``: the text names this end, unless it is all of ``unnamed``.
    """
    found: dict[str, list[str]] = {}
    for edge in edges:
        names = found.setdefault(edge_text(edge), [])
        name = edge.source if end == "source" else edge.target
        if name not in names:
            names.append(name)
    word = "from" if end == "source" else "to"
    everyone = None if unnamed is None else set(unnamed)
    return [
        text if set(names) == everyone else f"{text} ({word} {', '.join(names)})"
        for text, names in found.items()
    ]
