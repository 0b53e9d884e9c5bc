"""How each node reaches everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oz_installer.answers.model import Answers, Node
from oz_installer.answers.sections import Broker, Components, Database
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.wiring import queues, url_host, wiring_for
from tests.unit.topology.topology_answers import LAYOUTS, SECRET, layout, with_roles


def _wired(answers: Answers, node: str) -> dict[str, Any]:
    topology = plan_topology(answers)
    return dict(wiring_for(answers, topology, topology.node(node)).values)


@pytest.mark.parametrize(
    ("name", "node", "url"),
    [
        ("poc-1", "n1", "http://oz-tfss:8501"),
        ("poc-2", "n2", "http://10.0.0.1:8501"),
        ("medium-2", "n1", "http://oz-bio-balancer:9501"),
        ("medium-3", "n1", "http://oz-bio-balancer:9501"),
        ("medium-4", "n2", "http://oz-bio-balancer:9501"),
    ],
)
def test_one_bio_is_reached_directly_several_through_the_balancer(name: str, node: str, url: str) -> None:
    assert _wired(layout(name), node)["bio_url"] == url


def test_the_balancer_knows_every_bio() -> None:
    assert _wired(layout("medium-2"), "n1")["bios"] == ["oz-tfss:8501", "10.0.0.2:8501"]
    assert _wired(layout("medium-4"), "n2")["bios"] == ["10.0.0.3:8501", "10.0.0.4:8501"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_health_check_queues_are_just_those_that_run(name: str) -> None:
    for components in (Components(), Components(regula="http://regula")):
        topology = plan_topology(layout(name, components=components))
        running = {p.service.queue for node in topology.nodes for p in node.services if p.service.queue}
        assert set(queues(topology)) == running
        assert len(queues(topology)) == len(running)
        assert ("regula" in running) == (components.regula is not None)


def test_single_services_are_reached_by_name_at_home_and_by_address_elsewhere() -> None:
    first, second = _wired(layout("medium-4"), "n1"), _wired(layout("medium-4"), "n2")
    assert (first["redis_host"], second["redis_host"]) == ("oz-redis", "10.0.0.1")
    assert (first["statistic_url"], second["statistic_url"]) == (
        "http://oz-statistic:80",
        "http://10.0.0.1:8880",
    )
    assert first["api_upstreams"] == ["oz-api-nginx:8880", "10.0.0.2:8880"]
    assert second["api_upstreams"] == ["10.0.0.1:8880", "oz-api-nginx:8880"]
    assert _wired(layout("medium-4"), "n3")["updater_address"] == "10.0.0.1"
    assert _wired(layout("poc-1"), "n1")["updater_address"] == "oz-bio-updater"


def test_brokers() -> None:
    external = _wired(layout("poc-2", broker=Broker(host="r.example.com", port=6380)), "n2")
    assert (external["broker"], external["redis_host"], external["redis_port"]) == (
        "redis",
        "r.example.com",
        6380,
    )
    bundled = _wired(layout("medium-4", broker=Broker(type="rabbitmq")), "n2")
    assert (bundled["broker"], bundled["rabbitmq_host"], bundled["rabbitmq_user"]) == (
        "rabbitmq",
        "10.0.0.1",
        "oz",
    )
    theirs = Broker(type="rabbitmq", host="mq", user="u", password=SECRET)
    outside = _wired(layout("poc-2", broker=theirs), "n2")
    assert (outside["rabbitmq_host"], outside["rabbitmq_port"], outside["rabbitmq_user"]) == ("mq", 5672, "u")
    assert outside["redis_host"] == "oz-redis"


def test_database() -> None:
    bundled = _wired(layout("poc-1", database=Database(port=9999)), "n1")
    assert (bundled["db_host"], bundled["db_port"], bundled["db_sslmode"]) == ("oz-api-pg", 5432, "disable")
    theirs = Database(host="db", port=5433, password=SECRET, sslmode="prefer")
    external = _wired(layout("poc-1", database=theirs), "n1")
    assert (external["db_host"], external["db_port"]) == ("db", 5433)
    assert (external["db_sslmode"], external["db_sslmode_go"]) == ("prefer", "disable")


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port"),
    [
        ("https://oz.example.com/", "https", "oz.example.com", 443),
        ("http://oz.example.com", "http", "oz.example.com", 80),
        ("https://oz.example.com:8443", "https", "oz.example.com", 8443),
    ],
)
def test_public_url(url: str, scheme: str, host: str, port: int) -> None:
    values = _wired(replace(layout("poc-1"), public_url=url), "n1")
    assert (values["public_scheme"], values["public_host"], values["public_port"]) == (scheme, host, port)
    assert values["public_url"] == url.rstrip("/")


def test_ipv6_addresses_stand_in_brackets_in_urls() -> None:
    answers = layout("poc-2")
    answers = replace(answers, nodes=(Node(name="n1", host="fd00::1"), answers.nodes[1]))
    assert _wired(answers, "n2")["bio_url"] == "http://[fd00::1]:8501"
    assert url_host("10.0.0.1") == "10.0.0.1"


def test_one_to_n_is_off_by_default_and_reached_from_both_api_nodes() -> None:
    assert _wired(layout("medium-4"), "n1")["o2n_url"] == ""
    answers = layout("medium-4", components=Components(one_to_n=True))
    assert _wired(answers, "n1")["o2n_url"] == "http://oz-api-o2n:8010"
    assert _wired(answers, "n2")["o2n_url"] == "http://10.0.0.1:8010"


def test_moved_roles_move_the_wiring() -> None:
    values = _wired(with_roles(layout("poc-2"), ("api",), ("bio",)), "n1")
    assert values["bio_url"] == "http://10.0.0.2:8501"
