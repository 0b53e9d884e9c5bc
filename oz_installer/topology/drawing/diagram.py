"""Lay out the topology as a picture: users at the top, then api nodes, then BIO nodes.

::

    users ──┐                      monitoring
            ▼                          │
        api nodes  ◀───────────────────┘
            │  ├──▶ database, broker, storage ...      (outside parties are at the right)
            ▼
        BIO nodes ──▶ vendor

Outgoing connections of a node leave it at the right and run down a common wire; incoming ones from users and
BIO nodes arrive at the left. Edges that do not fit this scheme are listed below the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from oz_installer.topology.drawing.canvas import Box, Label, Party, Picture, Point, Wire, as_text
from oz_installer.topology.drawing.labels import joined_names, node_names, ports_by_target
from oz_installer.topology.drawing.node_box import edge_text, merge_edges, node_lines, node_title
from oz_installer.topology.model import Edge, Topology, TopologyNode

LEFT_EDGE = 5  # column of the nodes' left border; wires from users and BIO nodes run left of it
FROM_USERS, FROM_BIO = 3, 1  # columns of those wires
OUTSIDE_WIDTH = 14
RIGHT_PART = 34  # columns right of the nodes: wires, their labels, outside parties
NARROWEST, WIDEST = 72, 100
OUTSIDE_ORDER = ("database", "broker", "storage", "regula", "vendor")


def draw(topology: Topology, width: int = 80, *, ascii: bool = False) -> str:
    """Draw the topology as text, at most ``width`` columns wide, but at least 72."""
    return as_text(lay_out(topology, width), ascii=ascii)


def lay_out(topology: Topology, width: int = 80) -> Picture:
    """Return the picture that ``draw`` and ``svg.draw_svg`` show."""
    sheet = _Sheet(topology, min(max(width, NARROWEST), WIDEST))
    sheet.title()
    below = sheet.users(2)
    below = sheet.api_tier(below)
    below = sheet.between_tiers(below)
    below = sheet.bio_tier(below)
    sheet.remarks(below + 1)
    return Picture(boxes=tuple(sheet.boxes), wires=tuple(sheet.wires), labels=tuple(sheet.labels))


@dataclass
class _Sheet:
    """A picture under construction; methods take the first free row and return the next one."""

    topology: Topology
    width: int
    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    drawn: set[Edge] = field(default_factory=set)
    places: dict[str, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Set the columns: the nodes' right border, wires of api and BIO nodes, outside parties."""
        self.edge = self.width - RIGHT_PART - 1
        self.api_wire, self.bio_wire = self.edge + 2, self.edge + 4
        self.outside = self.width - OUTSIDE_WIDTH
        self.apis = self.topology.api_nodes
        self.bios = tuple(node for node in self.topology.nodes if "api" not in node.roles)

    def title(self) -> None:
        """Add the heading."""
        topology = self.topology
        count = len(topology.nodes)
        nodes = f"{count} node" if count == 1 else f"{count} nodes"
        text = f"Oz API {topology.release} · {topology.layout} · {nodes} · {topology.engine}"
        self.labels.append(Label(row=0, col=0, text=text, strong=True))

    def users(self, row: int) -> int:
        """Add the users, the operator's load balancer, and their connections to the api nodes."""
        box = self._box(row, 0, "users", wrap(self.topology.public_url, self.edge - 3), "users")
        if len(self.apis) > 1 and not self.topology.services_for("load-balancer"):
            port = self.topology.services_for("web")[0].service.published_port
            where = f"in front of port {port} of {joined_names(self.apis)}"
            lines = ["your load balancer", *wrap(where, self.edge - 3, break_on_hyphens=False)]
            self._wire("balancer", [(box.bottom, FROM_USERS), (box.bottom + 1, FROM_USERS)])
            box = self._box(box.bottom + 2, 0, "", lines, "users")
        self._start = (box.bottom, FROM_USERS)
        edges = self._between(["users"], self.apis)
        texts = merge_edges(edges, "target", (node.name for node in self.apis))
        return self._texts(box.bottom + 1, LEFT_EDGE, texts, self.edge - LEFT_EDGE) + 1

    def api_tier(self, row: int) -> int:
        """Add the api nodes, one below the other; monitoring and outside parties at the right."""
        joint, after_blocks = self._right_of_apis(row)
        for number, node in enumerate(self.apis):
            if number:
                row = self._between_neighbours(row, number)
            box = self._node(row, node, "api", joint - row + 2 if not number else 0)
            self._wire("users", [self._start, (row + 1, FROM_USERS), (row + 1, LEFT_EDGE - 1)])
            if self._opens_right(node):
                at = joint if not number else row + 1
                self._wire("api", [(at, box.right), (at, self.api_wire), (joint, self.api_wire)], arrow=False)
            row = box.bottom + 1
        return max(row, after_blocks)

    def between_tiers(self, row: int) -> int:
        """Add the connections between api nodes and BIO nodes, as labels beside their wires."""
        if not self.bios:
            return row
        down = merge_edges(self._between(self.apis, self.bios), "source", node_names(self.apis))
        up = merge_edges(self._between(self.bios, self.apis), "source", node_names(self.bios))
        left = self._texts(row, FROM_USERS, up, self.edge - FROM_USERS)
        right = self._texts(row, self.api_wire + 2, down, self.width - self.api_wire - 2)
        return max(left, right, row + 1)

    def bio_tier(self, row: int) -> int:
        """Add the nodes that only serve models, and their outside connections."""
        top = row
        for node in self.bios:
            box = self._node(row, node, "bio", 0)
            if any(self._edges([api.name], [node.name]) for api in self.apis):
                start = (self._joint, self.api_wire)
                self._wire("api", [start, (row + 1, self.api_wire), (row + 1, box.right + 1)])
            self._to_apis(node, box)
            row = box.bottom + 2
        after = top
        for party in self._parties(self.bios):
            arrow, after = self._block(after, top + 2, party, self.bios, self.bio_wire)
            for edge in self._edges(node_names(self.bios), [party]):
                at = self.places[edge.source].row + 2
                self._wire(
                    "bio",
                    [
                        (at, self.edge),
                        (at, self.bio_wire),
                        (arrow, self.bio_wire),
                        (arrow, self.outside - 1),
                    ],
                )
        return max(row - 1, after)

    def remarks(self, row: int) -> None:
        """Add the edges that are not drawn above, and the notes."""
        left = [edge for edge in self.topology.edges if edge not in self.drawn]
        texts = [f"Also: {edge.source} opens {edge_text(edge)} on {edge.target}" for edge in left]
        for text in (*texts, *self.topology.notes):
            lines = wrap(text, self.width - 2, break_on_hyphens=False)
            for number, line in enumerate(lines):
                bullet = "  " if number else "- "
                self.labels.append(Label(row=row, col=0, text=bullet + line))
                row += 1

    # --- parts ----------------------------------------------------------------------------------------

    def _right_of_apis(self, row: int) -> tuple[int, int]:
        """Add the outside parties of the api nodes at the right.

        Returns the row at which the first node joins, and the next free row.
        """
        watching = self._between(["monitoring"], self.apis)
        free = row
        if watching:
            room = self.outside - self.edge - 4
            ports = ports_by_target(watching)
            label = wrap(ports.pop(self.apis[0].name, ""), room)
            others = dict.fromkeys(ports.values())
            below = [
                line
                for some in others
                for line in wrap(f"{some} on {', '.join(n for n in ports if ports[n] == some)}", room)
            ]
            arrow, free = self._party(row, row + 1, "monitoring", label, below, self.edge + 2)
            self._wire("monitoring", [(arrow, self.outside), (arrow, self.edge + 1)])
        arrows = []
        for party in self._parties(self.apis):
            arrow, free = self._block(free, row + 1, party, self.apis, self.api_wire)
            arrows.append(arrow)
        self._joint = arrows[0] if arrows else free + 1
        for arrow in arrows:
            start = (self._joint, self.api_wire)
            self._wire("api", [start, (arrow, self.api_wire), (arrow, self.outside - 1)])
        return self._joint, free

    def _block(
        self, row: int, lowest: int, party: str, nodes: Sequence[TopologyNode], wire: int
    ) -> tuple[int, int]:
        """Add an outside party with its connections.

        Returns the row of its arrow and the next free row.
        """
        edges = self._between(nodes, [party])
        room = self.outside - wire - 3
        label = [line for text in dict.fromkeys(map(edge_text, edges)) for line in wrap(text, room)]
        sources = list(dict.fromkeys(edge.source for edge in edges))
        partly = set(sources) != set(node_names(nodes))
        below = wrap(f"from {', '.join(sources)}", room, break_on_hyphens=False) if partly else []
        return self._party(row, lowest, party, label, below, wire + 2)

    def _party(
        self, row: int, lowest: int, name: str, label: Sequence[str], below: Sequence[str], col: int
    ) -> tuple[int, int]:
        arrow = max(row + max(len(label), 1), lowest)
        self.boxes.append(Box(row=arrow - 1, col=self.outside, height=3, width=OUTSIDE_WIDTH, title="",
                              lines=(f"{name:^{OUTSIDE_WIDTH - 4}}",)))  # fmt: skip
        for number, text in enumerate(label):
            self.labels.append(Label(row=arrow - len(label) + number, col=col, text=text))
        for number, text in enumerate(below, start=1):
            self.labels.append(Label(row=arrow + number, col=col, text=text))
        return arrow, arrow + max(len(below), 1) + 1

    def _between_neighbours(self, row: int, number: int) -> int:
        """Add the connections between api nodes, between their two boxes."""
        above, below = self.apis[:number], self.apis[number:]
        pair = len(self.apis) == 2
        up = merge_edges(self._between(below, above[-1:]), "source", node_names(below) if pair else None)
        down = merge_edges(self._between(above, below[:1]), "source", node_names(above) if pair else None)
        col_up, col_down = LEFT_EDGE + 3, LEFT_EDGE + (5 if up else 3)
        if up and down:  # the wires run side by side, so the texts show their directions
            up, down = [f"▲ {text}" for text in up], [f"▼ {text}" for text in down]
        col = (col_down if down else col_up) + 2
        free = max(self._texts(row, col, [*up, *down], self.edge - col), row + 1)
        if up:
            self._wire("up", [(free, col_up), (row, col_up)])
        if down:
            self._wire("down", [(row - 1, col_down), (free - 1, col_down)])
        return free

    def _to_apis(self, node: TopologyNode, box: Box) -> None:
        for target in dict.fromkeys(edge.target for edge in self._edges([node.name], node_names(self.apis))):
            there = self.places[target].row + 2
            points = [
                (box.row + 1, box.col),
                (box.row + 1, FROM_BIO),
                (there, FROM_BIO),
                (there, LEFT_EDGE - 1),
            ]
            self._wire("updates", points)

    def _opens_right(self, node: TopologyNode) -> bool:
        return bool(self._edges([node.name], [*OUTSIDE_ORDER, *node_names(self.bios)]))

    def _parties(self, nodes: Sequence[TopologyNode]) -> list[str]:
        targets = {edge.target for edge in self._edges(node_names(nodes), OUTSIDE_ORDER)}
        return [party for party in OUTSIDE_ORDER if party in targets]

    def _edges(self, sources: Iterable[str], targets: Iterable[str]) -> list[Edge]:
        wanted_sources, wanted_targets = set(sources), set(targets)
        return [e for e in self.topology.edges if e.source in wanted_sources and e.target in wanted_targets]

    def _between(
        self, sources: Sequence[TopologyNode] | list[str], targets: Sequence[TopologyNode] | list[str]
    ) -> list[Edge]:
        """Return the edges between these ends and mark them as drawn."""
        edges = self._edges(node_names(sources), node_names(targets))
        self.drawn.update(edges)
        return edges

    def _node(self, row: int, node: TopologyNode, party: Party, least: int) -> Box:
        inner = self.edge - LEFT_EDGE - 3
        lines = node_lines(node, inner)
        title = node_title(node)
        if len(title) > inner - 1:
            title, lines = node.name, (", ".join(node.roles), *lines)
        height = max(len(lines) + 2, least)
        box = Box(row=row, col=LEFT_EDGE, height=height, width=self.edge - LEFT_EDGE + 1, title=title,
                  lines=lines, party=party)  # fmt: skip
        self.boxes.append(box)
        self.places[node.name] = box
        return box

    def _box(self, row: int, col: int, title: str, lines: Sequence[str], party: Party) -> Box:
        width = max([len(title) + 6, *(len(line) + 4 for line in lines)])
        box = Box(
            row=row, col=col, height=len(lines) + 2, width=width, title=title, lines=tuple(lines), party=party
        )
        self.boxes.append(box)
        return box

    def _wire(self, net: str, points: Sequence[Point], *, arrow: bool = True) -> None:
        self.wires.append(Wire(net=net, points=tuple(points), arrow=arrow))

    def _texts(self, row: int, col: int, texts: Iterable[str], room: int) -> int:
        for text in texts:
            for number, line in enumerate(wrap(text, room - 2, break_on_hyphens=False)):
                self.labels.append(Label(row=row, col=col + (2 if number else 0), text=line))
                row += 1
        return row
