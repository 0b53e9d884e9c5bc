"""What is asked from outside, by which node, at which address."""

from __future__ import annotations

from oz_installer.answers.sections import Components, LoadBalancer
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.probes import probes_from
from tests.unit.topology.topology_answers import layout


def test_the_api_node_asks_the_bio_and_everything_of_its_own() -> None:
    topology = plan_topology(layout("poc-2"))
    assert {probe.placed.name: probe.url for probe in probes_from(topology, "n2")} == {
        "oz-tfss": "http://10.0.0.1:8501/v1/models/dummy",
        "oz-statistic": "http://10.0.0.2:8880/statistic",
        "oz-api-nginx": "http://10.0.0.2:8880/api/version",
        "oz-webui": "http://10.0.0.2:80/login",
        "oz-api-flower": "http://10.0.0.2:5555/metrics/flower/metrics",
        "oz-redis-exporter": "http://10.0.0.2:9117/metrics/redis",
        "oz-postgres-exporter": "http://10.0.0.2:9187/metrics",
        "oz-nginx-exporter": "http://10.0.0.2:9113/metrics/nginx",
    }
    assert probes_from(topology, "n1") == ()
    assert probes_from(topology, "n2")[0].what == "oz-tfss (BIO, serves the models) on n1"


def test_every_api_node_asks_every_bio_and_each_balancer_is_asked_at_home() -> None:
    answers = layout("medium-4", load_balancer=LoadBalancer(type="node", node="n2"))
    topology = plan_topology(answers)
    for asker, other in (("n1", "10.0.0.2"), ("n2", "10.0.0.1")):
        probes = probes_from(topology, asker)
        assert [probe.host for probe in probes if probe.placed.name == "oz-tfss"] == ["10.0.0.3", "10.0.0.4"]
        assert other not in {probe.host for probe in probes}
        assert {probe.port for probe in probes if probe.placed.name == "oz-bio-balancer"} == {9501}
    assert [p.url for p in probes_from(topology, "n2") if p.port == 8088] == [
        "http://10.0.0.2:8088/api/version"
    ]


def test_what_does_not_run_is_not_asked() -> None:
    little = Components(statistic=False, web_ui=False, monitoring=False)
    topology = plan_topology(layout("poc-1", components=little))
    assert [probe.placed.name for probe in probes_from(topology, "n1")] == ["oz-tfss", "oz-api-nginx"]
