"""What an installation takes away from a running one is named: services, nodes, data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.checks.context import CheckContext
from oz_installer.checks.installed.removal import InstalledFacts, RemovalCheck
from oz_installer.render.data_locations import BUNDLED, FOLDER, data_left
from oz_installer.render.project import INSTALLED_NODES, INSTALLED_RECORD
from oz_installer.topology.planner import plan_topology
from tests.unit.checks.checks_support import API, BIO, judged, levels, printed_by, site

EMPTY = InstalledFacts(data={}, nodes={})
NODES = {"n1": "10.0.0.1", "n2": "10.0.0.2"}
DATA = {"database": "db.example.com:5432/gateway", "media": "/mnt/oz"}


def whole_site() -> CheckContext:
    """A site whose topology is known."""
    at = site()
    return replace(at, topology=plan_topology(at.answers))


def services(at: CheckContext, node: str) -> tuple[str, ...]:
    """The services that run on a node."""
    assert at.topology
    (found,) = (one for one in at.topology.nodes if one.name == node)
    return tuple(placed.name for placed in found.services if not placed.service.job)


def test_services_that_the_answers_no_longer_place() -> None:
    at = whole_site()
    kept = services(at, "n2")
    found = judged(RemovalCheck(), replace(EMPTY, is_installed=True, services=(*kept, "oz-old")), BIO, at)
    assert levels(found) == {"removal.services": "warning"}
    assert found["removal.services"].seen == "1 service will be removed: oz-old"
    assert levels(judged(RemovalCheck(), replace(EMPTY, is_installed=True, services=kept), BIO, at)) == {}
    assert judged(RemovalCheck(), EMPTY, BIO, at) == {}
    assert judged(RemovalCheck(), replace(EMPTY, is_installed=True, services=("oz-old",)), BIO) == {}


@pytest.mark.parametrize(
    ("facts", "seen"),
    [
        ({"n1": {"data": DATA, "nodes": NODES}, "n2": {"nodes": NODES}}, {}),
        (
            {"n1": {"data": {**DATA, "database": BUNDLED}}},
            {
                "removal.database/n1": f"the API's database moves from {BUNDLED} to "
                "db.example.com:5432/gateway; nothing is copied"
            },
        ),
        (
            {"n1": {"nodes": {**NODES, "n3": "10.0.0.3"}}},
            {"removal.node-n3": "n3 (10.0.0.3) is no longer one of the nodes; its services keep running"},
        ),
        (
            {"n2": {"nodes": {**NODES, "n1": "10.0.0.9"}}},
            {"removal.node-n1": "n1 (10.0.0.9) is no longer one of the nodes; its services keep running"},
        ),
        ({"n1": {"nodes": {"n1": "n1.example.com", "n2": "10.0.0.2"}}}, {}),  # the same machine by its name
        ({"n1": {"nodes": {"renamed": "10.0.0.1"}}}, {}),
    ],
)
def test_nodes_and_data(facts: dict[str, dict[str, Any]], seen: dict[str, str]) -> None:
    known = {name: replace(EMPTY, is_installed=True, **more) for name, more in facts.items()}
    found = {one.id: one for one in RemovalCheck().across(site(), known)}
    assert {name: one.seen for name, one in found.items()} == seen
    assert all(one.level == "warning" and one.hint and one.why for one in found.values())


@pytest.mark.parametrize(
    ("before", "now", "left"),
    [
        ({}, {"a": {"database": BUNDLED}}, []),
        ({"a": {"database": BUNDLED}}, {"a": {"database": BUNDLED}}, []),
        ({"a": {"database": BUNDLED}}, {"b": {"database": BUNDLED}}, [("a", BUNDLED, f"{BUNDLED} on b")]),
        ({"a": {"database": BUNDLED}}, {"b": {"database": "db:5432/x"}}, [("a", BUNDLED, "db:5432/x")]),
        ({"a": {"media": FOLDER}}, {"b": {"media": "/mnt"}, "c": {"media": "/mnt"}}, [("a", FOLDER, "/mnt")]),
        ({"a": {"media": "/mnt"}}, {"b": {"media": "/mnt"}}, []),
        ({"a": {"media": "/mnt"}}, {}, []),  # the run is limited to other nodes
    ],
)
def test_data_of_the_whole_installation(
    before: dict[str, dict[str, str]], now: dict[str, dict[str, str]], left: list[tuple[str, str, str]]
) -> None:
    assert [(node, move.before, move.now) for node, move in data_left(before, now)] == left


def test_the_script_reads_what_is_installed(tmp_path: Path) -> None:
    check, at = RemovalCheck(), site(install_dir=str(tmp_path))
    assert check.parse(printed_by(check, at, API)) == EMPTY
    (tmp_path / "current").mkdir()
    record = {"services": {"oz-api": "x", "oz\x1b[2Jevil": "y"}, "data": DATA}
    (tmp_path / INSTALLED_RECORD).write_text(json.dumps(record))
    assert check.parse(printed_by(check, at, API)).nodes == {}
    (tmp_path / INSTALLED_NODES).write_text(json.dumps({"nodes": NODES}))
    facts = check.parse(printed_by(check, at, API))
    assert (facts.is_installed, facts.data, facts.nodes) == (True, DATA, NODES)
    assert facts.services[0] == "oz-api"
    assert "\x1b" not in facts.services[1]


@pytest.mark.parametrize("text", ["[]", '{"services": 3}', '{"data": "x"}', "{"])
def test_a_record_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        RemovalCheck().parse(f"{text}\n--- nodes\n")
