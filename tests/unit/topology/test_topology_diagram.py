"""The picture: golden text of the five layouts, and properties that hold for any topology."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from oz_installer.answers.model import Node
from oz_installer.answers.sections import Broker, Components, Database, License, LoadBalancer
from oz_installer.topology.drawing.canvas import BORDER, Box, Picture, Wire, as_text
from oz_installer.topology.drawing.diagram import draw
from oz_installer.topology.drawing.svg import draw_svg
from oz_installer.topology.model import Topology
from oz_installer.topology.planner import plan_topology
from tests.unit.topology.topology_answers import LAYOUTS, SECRET, answers_for, layout, with_roles

GOLDEN = Path(__file__).parents[2] / "golden" / "diagram"
LONG = tuple(
    Node(name=f"a-node-with-the-longest-name-{i:03}", host=f"host-{i}.{'sub.' * 40}example.com")
    for i in range(1, 5)
)
FULL = layout(
    "medium-4",
    broker=Broker(type="rabbitmq", host="mq", password=SECRET),
    load_balancer=LoadBalancer(type="node"),
    components=Components(one_to_n=True, regula="https://r", web_adapter="https://w"),
    license=License(web_adapter=Path("license.json")),
)
MANY = with_roles(
    answers_for("medium", 6, accept=("many-nodes",)),
    ("api", "bio"), ("api",), ("api", "bio"), ("bio",), ("bio",), ("bio",),
)  # fmt: skip
VARIANTS = {
    **{name: layout(name) for name in LAYOUTS},
    "full": FULL,
    "long names": replace(FULL, nodes=LONG),
    "six nodes": MANY,
    "external redis": layout("poc-2", broker=Broker(host="r")),
    "bare": layout("poc-1", database=Database(), components=Components(monitoring=False, bio_updater=False)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_golden_pictures(name: str) -> None:
    path = GOLDEN / f"{name}.txt"
    text = draw(plan_topology(layout(name)))
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("width", [80, 100])
def test_nothing_is_wider_than_told_and_ascii_is_ascii(name: str, width: int) -> None:
    topology = plan_topology(VARIANTS[name])
    assert max(map(len, draw(topology, width).splitlines())) <= width
    plain = draw(topology, width, ascii=True)
    assert plain.isascii()
    assert "?" not in plain
    assert max(map(len, plain.splitlines())) <= width


@pytest.mark.parametrize("name", VARIANTS)
def test_every_node_service_and_edge_is_told(name: str) -> None:
    topology = plan_topology(VARIANTS[name])
    text = draw(topology)
    words = re.sub(r"[^\w:.-]", "", text)
    for node in topology.nodes:
        assert f" {node.name} " in text
        for placed in node.services:
            assert (placed.service.queue or placed.name) in words
    for edge in topology.edges:
        assert str(edge.port) in text
        if edge.target not in {node.name for node in topology.nodes}:
            assert f"  {edge.target}  " in text
    assert "Also:" not in text


def test_edges_without_a_place_are_listed_rather_than_lost() -> None:
    topology = plan_topology(layout("poc-2"))
    odd = replace(topology.edges[0], source="users", target="n1", port=4711, purpose="nobody knows")
    text = draw(replace(topology, edges=(*topology.edges, odd)))
    assert "- Also: users opens 4711 nobody knows on n1" in text


def test_only_an_external_load_balancer_is_drawn_in_front() -> None:
    assert "your load balancer" in draw(plan_topology(layout("medium-4")))
    assert "your load balancer" not in draw(plan_topology(FULL))
    assert "your load balancer" not in draw(plan_topology(layout("medium-3")))


def test_wires_of_one_net_join_and_of_two_cross() -> None:
    across = Wire(net="a", points=((1, 0), (1, 4)))
    down = Wire(net="b", points=((0, 2), (2, 2)))
    assert as_text(Picture(boxes=(), wires=(across, down), labels=())) == "  │\n──│──\n  │\n"
    same = replace(down, net="a")
    assert as_text(Picture(boxes=(), wires=(across, same), labels=())) == "  │\n──┼──\n  │\n"


def test_a_wire_joins_the_border_that_it_starts_on() -> None:
    box = Box(row=0, col=0, height=3, width=4, title="")
    wire = Wire(net="a", points=((1, 3), (1, 6)), arrow=True)
    assert as_text(Picture(boxes=(box,), wires=(wire,), labels=())) == "┌──┐\n│  ├──▶\n└──┘\n"
    assert wire.net != BORDER


def _hostile() -> Topology:
    topology = plan_topology(layout("poc-2"))
    evil = "<script>alert('1')</script>&\"\x00\x1b\ud800"
    nodes = tuple(replace(node, name=evil, address=evil, host=evil) for node in topology.nodes)
    return replace(topology, nodes=nodes, public_url=evil, layout=evil, notes=(evil,), edges=())


@pytest.mark.parametrize("name", VARIANTS)
def test_svg_is_well_formed_and_tells_the_same(name: str) -> None:
    topology = plan_topology(VARIANTS[name])
    root = ElementTree.fromstring(draw_svg(topology))  # noqa: S314 - our own text
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = "\n".join(root.itertext())
    for node in topology.nodes:
        assert node.name in text
    for party in {edge.target for edge in topology.edges} - {node.name for node in topology.nodes}:
        assert f"\n{party}\n" in text


@pytest.mark.parametrize("name", LAYOUTS)
def test_columns_of_the_svg_stand_by_their_place_and_not_by_blanks(name: str) -> None:
    root = ElementTree.fromstring(draw_svg(plan_topology(layout(name))))  # noqa: S314 - our own text
    texts = list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert not [text.text for text in texts if "  " in (text.text or "")]
    places = {text.text or "": text.get("x") for text in texts}
    assert places["queues"] == places["data"] == places["metrics"] == places["once"]
    second = {x for text, x in places.items() if text.startswith(("oz-api-flower", "oz-redis-exporter"))}
    assert len(second) == 1


def test_hostile_names_stay_text_in_the_svg() -> None:
    svg = draw_svg(_hostile())
    root = ElementTree.fromstring(svg.encode())  # noqa: S314
    tags = {element.tag.split("}")[1] for element in root.iter()}
    assert tags <= {"svg", "title", "rect", "text", "polyline", "polygon"}
    assert "<script" not in svg
    assert "<script>" in "".join(root.itertext())
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on") or "href" in name]
