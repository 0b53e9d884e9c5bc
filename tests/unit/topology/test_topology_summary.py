"""What is summed up of an installation that stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from oz_installer.answers.model import Node
from oz_installer.answers.sections import Components, License, LoadBalancer
from oz_installer.topology.planner import plan_topology
from oz_installer.topology.summary import summary_of
from tests.unit.topology.topology_answers import layout


def test_rows_hold_every_service_with_its_state_and_ports() -> None:
    topology = plan_topology(layout("medium-4"))
    summary = summary_of(topology, {"n1/oz-api": "healthy"})
    rows = {(row.node, row.service): row for row in summary.rows}
    assert len(rows) == sum(len(node.services) for node in topology.nodes)
    assert rows["n1", "oz-api"].state == "healthy"
    assert rows["n2", "oz-api"].state == "unknown"
    assert rows["n1", "oz-bio-updater"].ports == "8521, 60000-60100"
    assert rows["n1", "oz-redis"].ports == "6379"
    assert rows["n3", "oz-tfss"].image.endswith("_opt")


def test_urls_name_every_door() -> None:
    answers = layout(
        "medium-4",
        load_balancer=LoadBalancer(type="node", node="n2"),
        components=Components(web_adapter="https://w"),
        license=License(web_adapter=Path("license.json")),
    )
    urls = dict(summary_of(plan_topology(answers), {}).urls)
    assert next(iter(urls.values())) == "https://oz.example.com"
    assert urls["API, load balancer"] == "http://10.0.0.2:8088/api/version"
    assert urls["API on n2"] == "http://10.0.0.2:8880/api/version"
    assert urls["Web UI"] == "http://10.0.0.1:80/"
    assert urls["Web adapter"] == "http://10.0.0.1:8080/"
    assert urls["Metrics, nginx on n2"] == "http://10.0.0.2:9113/metrics/nginx"
    assert urls["Metrics, BIO on n4"] == "http://10.0.0.4:8501/metrics/tfss"


def test_ipv6_addresses_are_bracketed() -> None:
    answers = replace(layout("poc-1"), nodes=(Node(name="n1", host="fd00::1"),))
    assert dict(summary_of(plan_topology(answers), {}).urls)["API"] == "http://[fd00::1]:8880/api/version"


def test_the_secrets_file_is_spoken_of_only_when_there_is_one() -> None:
    topology = plan_topology(layout("poc-1"))
    without = summary_of(topology, {}, admin_email="a@b.c")
    assert not [note for note in without.notes if "copy" in note]
    given = summary_of(topology, {}, secrets_file=Path("/x"), admin_email="a@b.c")
    assert "Open the web UI and log in as a@b.c." in given.notes
    assert len(_copies(given.notes)) == 1
    assert given.secrets_file == Path("/x")


def test_what_is_to_be_typed_next_can_be_typed_as_it_stands() -> None:
    notes = summary_of(plan_topology(layout("poc-1")), {}, answers_file=Path("/srv/my oz/answers.yml")).notes
    assert "oz-install status --answers '/srv/my oz/answers.yml' shows this table again." in notes
    assert "oz-install logs --answers '/srv/my oz/answers.yml' SERVICE shows the log of a service." in notes


def test_what_is_ill_comes_first_with_what_repairs_it() -> None:
    topology = plan_topology(layout("poc-1"))
    states = {placed.service_key: "healthy" for node in topology.nodes for placed in node.services}
    assert not [note for note in summary_of(topology, states).notes if "repair" in note]
    ill = {**states, "n1/oz-api": "exited", "n1/oz-tfss": "starting", "n1/oz-webui": "unhealthy"}
    notes = summary_of(topology, ill, answers_file=Path("/srv/a.yml")).notes
    assert notes[0] == "Run oz-install --answers /srv/a.yml to repair oz-api on n1 and oz-webui on n1."


def test_every_place_of_secrets_is_to_be_copied() -> None:
    topology = plan_topology(layout("poc-1"))
    made, typed = Path("/srv/oz/answers.secrets.json"), Path("/srv/oz/answers.secrets.d")
    (both,) = _copies(summary_of(topology, {}, secrets_file=made, typed_secrets=typed).notes)
    assert "answers.secrets.json" in both
    assert "answers.secrets.d" in both
    (only,) = _copies(summary_of(topology, {}, typed_secrets=typed).notes)
    assert "answers.secrets.d" in only
    assert not _copies(summary_of(topology, {}).notes)


def _copies(notes: Sequence[str]) -> list[str]:
    return [note for note in notes if "copy" in note]
