"""Which service runs where, what is open, and who talks to whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from oz_installer.answers.model import Answers
from oz_installer.answers.sections import Broker, Components, Database, LoadBalancer, Registry
from oz_installer.catalog.release import load_release
from oz_installer.catalog.scenario import Resources
from oz_installer.topology.layout import layout_name, requirements_of, roles_of
from oz_installer.topology.model import Edge, Topology
from oz_installer.topology.planner import plan_topology
from tests.unit.topology.topology_answers import LAYOUTS, SECRET, answers_for, layout, with_roles

EVERYTHING = Components(one_to_n=True, regula="http://regula:8080")


def _counts(topology: Topology) -> Counter[str]:
    return Counter(placed.service.name for node in topology.nodes for placed in node.services)


@pytest.mark.parametrize(
    ("name", "roles", "memory"),
    [
        ("poc-1", ["api bio"], [32]),
        ("poc-2", ["bio", "api"], [32, 16]),
        ("medium-2", ["api bio", "bio"], [32, 32]),
        ("medium-3", ["api", "bio", "bio"], [24, 24, 24]),
        ("medium-4", ["api", "api", "bio", "bio"], [16, 16, 24, 24]),
    ],
)
def test_layouts_place_roles_as_the_vendor_does(name: str, roles: list[str], memory: list[int]) -> None:
    topology = plan_topology(layout(name))
    assert topology.layout == name
    assert [" ".join(node.roles) for node in topology.nodes] == roles
    assert [node.requirements.memory for node in topology.nodes] == memory


@pytest.mark.parametrize("name", LAYOUTS)
def test_single_services_are_single_and_on_the_first_api_node(name: str) -> None:
    topology = plan_topology(layout(name, components=EVERYTHING))
    single = {service.name for service in load_release("5.2").services if service.copies == "one"}
    first = next(node for node in topology.nodes if node.first_api)
    assert first is topology.api_nodes[0]
    counts = _counts(topology)
    assert {name for name in single if counts[name] > 1} == set()
    assert (
        counts["oz-celery-beat"] == counts["oz-redis"] == counts["oz-init-db"] == counts["oz-init-user"] == 1
    )
    for node in topology.nodes:
        if node is not first:
            assert {placed.service.name for placed in node.services} & single == set()


@pytest.mark.parametrize("name", LAYOUTS)
def test_there_are_as_many_tfss_workers_as_bios_and_names_are_unique(name: str) -> None:
    topology = plan_topology(layout(name))
    assert _counts(topology)["oz-celery-tfss"] == len(topology.bio_nodes) == _counts(topology)["oz-tfss"]
    for node in topology.nodes:
        names = [placed.name for placed in node.services]
        assert len(names) == len(set(names))


def test_tfss_workers_are_numbered_when_a_node_has_several() -> None:
    names = [placed.name for placed in plan_topology(layout("medium-3")).node("n1").services]
    assert [name for name in names if "tfss" in name] == ["oz-celery-tfss-1", "oz-celery-tfss-2"]


def test_three_bios_over_two_api_nodes_give_two_and_one_worker() -> None:
    answers = with_roles(
        answers_for("medium", 5, accept=("many-nodes",)), ("api",), ("api",), ("bio",), ("bio",), ("bio",)
    )
    topology = plan_topology(answers)
    assert topology.layout == "medium-5-custom"
    per_node = [sum(p.service.queue == "tfss" for p in node.services) for node in topology.nodes]
    assert per_node == [2, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("components", "absent"),
    [
        (Components(statistic=False), {"oz-statistic"}),
        (Components(web_ui=False), {"oz-webui"}),
        (Components(bio_updater=False), {"oz-bio-updater", "oz-bio-init"}),
        (
            Components(monitoring=False),
            {"oz-api-flower", "oz-redis-exporter", "oz-postgres-exporter", "oz-nginx-exporter"},
        ),
    ],
)
def test_switched_off_components_do_not_run(components: Components, absent: set[str]) -> None:
    full, less = (
        _counts(plan_topology(layout("poc-1"))),
        _counts(plan_topology(layout("poc-1", components=components))),
    )
    assert set(full) - set(less) == absent


@pytest.mark.parametrize(
    ("broker", "present"),
    [
        (Broker(), {"oz-redis"}),
        (Broker(host="r", password=SECRET), set()),
        (Broker(type="rabbitmq"), {"oz-redis", "oz-rabbitmq"}),
        (Broker(type="rabbitmq", host="mq", password=SECRET), {"oz-redis"}),
    ],
)
def test_rabbitmq_replaces_redis_as_broker_only(broker: Broker, present: set[str]) -> None:
    counts = _counts(plan_topology(layout("poc-2", broker=broker)))
    assert {"oz-redis", "oz-rabbitmq"} & set(counts) == present


def test_edges_of_medium_4_are_these_and_no_others() -> None:
    edges = {
        (e.source, e.target, e.port)
        for e in plan_topology(layout("medium-4")).edges
        if e.source != "monitoring"
    }
    users = {("users", "n1", port) for port in (80, 8000, 8880)} | {
        ("users", "n2", port) for port in (8000, 8880)
    }
    bio = {(api, bio, 8501) for api in ("n1", "n2") for bio in ("n3", "n4")}
    updates = {(bio, "n1", port) for bio in ("n3", "n4") for port in (8521, 60000)}
    outside = {(api, "database", 5432) for api in ("n1", "n2")} | {
        (api, "storage", 2049) for api in ("n1", "n2")
    }
    vendor = {(node, "vendor", 443) for node in ("n1", "n3", "n4")}
    assert edges == users | bio | updates | outside | vendor | {("n2", "n1", 6379), ("n2", "n1", 8880)}


def test_redis_is_closed_where_only_one_node_uses_it() -> None:
    assert not [e for e in plan_topology(layout("medium-3")).edges if e.port == 6379]


def test_the_node_load_balancer_runs_where_the_operator_says_and_reaches_the_other_node() -> None:
    answers = layout("medium-4", load_balancer=LoadBalancer(type="node", node="n2"))
    topology = plan_topology(answers)
    assert [node.name for node in topology.nodes_with("oz-load-balancer")] == ["n2"]
    assert Edge(source="n2", target="n1", port=8880, purpose="shared load") in topology.edges
    assert not [note for note in topology.notes if "your load balancer" in note]


def test_notes_tell_what_is_left_to_the_operator() -> None:
    topology = plan_topology(layout("poc-1", database=Database(), components=Components(bio_updater=False)))
    assert [note.split(":")[0].split(" is ")[0] for note in topology.notes] == [
        "The bundled PostgreSQL",
        "No BIO updater",
        "https",
    ]
    assert "port 8880 of n1 and n2" in plan_topology(layout("medium-4")).notes[0]


def test_who_must_answer_https_is_told_for_nothing_here_does() -> None:
    def told(answers: Answers) -> list[str]:
        return [note for note in plan_topology(answers).notes if note.startswith("https:")]

    proxy = "through your TLS proxy."
    assert told(layout("poc-2")) == [f"https://oz.example.com must lead to n2:8880 {proxy}"]
    (balanced,) = told(layout("medium-4"))
    assert "must lead to your load balancer" in balanced
    own = layout("medium-4", load_balancer=LoadBalancer(type="node", node="n2"))
    assert told(own) == [f"https://oz.example.com must lead to n2:8088 {proxy}"]
    assert told(replace(layout("poc-1"), public_url="http://oz.example.com")) == []


def test_images_come_from_the_registry_unless_named_one_by_one() -> None:
    answers = layout("poc-1", registry=Registry(server="reg:5000/oz"), images={"oz-tfss": "mine:1"})
    images = {placed.service.image: placed.image for placed in plan_topology(answers).node("n1").services}
    assert images["oz-api"] == "reg:5000/oz/ozforensics/oz-api:5.2.0-systemd"
    assert images["oz-tfss"] == "mine:1"


def test_moved_roles_make_a_custom_layout_with_needs_by_role() -> None:
    answers = with_roles(layout("poc-2"), ("api",), ("bio",))
    assert layout_name(answers) == "poc-2-custom"
    assert roles_of(answers) == {"n1": ("api",), "n2": ("bio",)}
    assert requirements_of(answers, 0, ("api",)) == Resources(cpu=8, memory=16)
    assert requirements_of(answers, 1, ("bio",)) == Resources(cpu=16, memory=24)
    same = with_roles(layout("medium-2"), ("bio", "api"), ("bio",))
    assert layout_name(same) == "medium-2"


def test_addresses_default_to_hosts() -> None:
    answers = layout("poc-2")
    answers = replace(answers, nodes=(replace(answers.nodes[0], address="192.168.0.1"), answers.nodes[1]))
    assert [node.address for node in plan_topology(answers).nodes] == ["192.168.0.1", "10.0.0.2"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_answers_give_the_same_topology(name: str) -> None:
    assert plan_topology(layout(name)) == plan_topology(layout(name))


def test_without_a_way_out_nobody_calls_the_vendor() -> None:
    open_, shut = (plan_topology(layout("medium-2", air_gapped=answer)) for answer in (False, True))
    assert [edge.source for edge in open_.edges if edge.target == "vendor"] == ["n1", "n2"]
    assert not [edge for edge in shut.edges if edge.target == "vendor"]
    assert [note for note in shut.notes if note not in open_.notes] == [
        "The BIO updater cannot reach the vendor; it serves only the models that it already has."
    ]
    without = layout("medium-2", air_gapped=True, components=Components(bio_updater=False))
    assert not [note for note in plan_topology(without).notes if "no way to the vendor" in note]
