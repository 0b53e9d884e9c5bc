"""Each rule: answers that break it, with the key and the hint; answers that keep it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from oz_installer.answers.model import Answers, Node
from oz_installer.answers.network import Network
from oz_installer.answers.sections import (
    Broker,
    Components,
    Database,
    Extra,
    License,
    LoadBalancer,
    Proxy,
    Storage,
    Updater,
)
from oz_installer.catalog.release import Release, load_release
from oz_installer.catalog.scenario import load_scenarios
from oz_installer.errors import AnswersError
from oz_installer.topology import addresses, constraints
from oz_installer.topology.constraints import CONSTRAINTS, Constraint, check_constraints
from oz_installer.topology.planner import plan_topology
from tests.unit.topology.topology_answers import SECRET, answers_for, layout, with_roles

RELEASE = load_release("5.2")
DOCKER_ONLY = replace(RELEASE, engines={"docker": RELEASE.engines["docker"]})
RABBITMQ_ONLY = replace(RELEASE, brokers=("rabbitmq",))
LICENCE = Path("license.json")


@dataclass(frozen=True)
class Case:
    """``hint`` is a part of the hint that must be there."""

    rule: Constraint
    bad: Answers
    key: str
    hint: str
    good: Answers
    release: Release = RELEASE


FOUR, TWO, ONE = layout("medium-4"), layout("poc-2"), layout("poc-1")
WEB = Components(web_adapter="https://web.example.com")
LOCALHOST = replace(TWO, nodes=(TWO.nodes[0], Node(name="n2", host="127.0.0.1")))
LOOPBACK: tuple[tuple[str, dict[str, Any]], ...] = (
    ("database.host", {"database": Database(host="localhost")}),
    ("database.host", {"database": Database(host="127.0.1.1")}),
    ("broker.host", {"broker": Broker(host="::1")}),
    ("proxy.url", {"proxy": Proxy(url="http://127.0.0.1:3128")}),
    ("components.regula", {"components": Components(regula="http://Localhost.:8080")}),
)
CASES = [
    Case(constraints.supported_platform, answers_for("high-load", 3), "scenario", "poc or medium", ONE),
    Case(constraints.number_of_nodes, answers_for("poc", 3), "nodes", "medium for 2 to 4", TWO),
    Case(constraints.number_of_nodes, answers_for("medium", 1), "nodes", "poc", layout("medium-2")),
    Case(
        constraints.number_of_nodes,
        answers_for("medium", 5),
        "nodes",
        "many-nodes to accept",
        answers_for("medium", 5, accept=("many-nodes",)),
    ),
    Case(
        constraints.both_roles,
        answers_for("medium", 5, accept=("many-nodes",)),
        "nodes[4].roles",
        "[api, bio]",
        with_roles(answers_for("medium", 5), ("api",), ("bio",), ("bio",), ("bio",), ("bio",)),
    ),
    Case(
        constraints.database_authority,
        replace(TWO, database=replace(TWO.database, sslmode="verify-full")),
        "database.sslmode",
        "disable, allow, prefer, require; require is the strictest",
        replace(TWO, database=replace(TWO.database, sslmode="require")),
    ),
    Case(constraints.both_roles, with_roles(TWO, ("api",), ("api",)), "nodes", "roles: [bio]", TWO),
    Case(constraints.both_roles, with_roles(TWO, ("bio",), ("bio",)), "nodes", "roles: [api]", TWO),
    Case(constraints.engine_of_release, replace(ONE, engine="podman"), "engine", "docker", ONE, DOCKER_ONLY),
    Case(
        constraints.broker_of_release,
        ONE,
        "broker.type",
        "set it to rabbitmq",
        replace(ONE, broker=Broker(type="rabbitmq")),
        RABBITMQ_ONLY,
    ),
    Case(
        constraints.broker_of_release,
        replace(ONE, broker=Broker(type="rabbitmq", host="mq")),
        "broker.password",
        "{env: NAME}",
        replace(ONE, broker=Broker(type="rabbitmq", host="mq", password=SECRET)),
    ),
    Case(
        constraints.database,
        layout("medium-2", database=Database()),
        "database.host",
        "poc only",
        layout("poc-2", database=Database()),
    ),
    Case(
        constraints.database,
        replace(ONE, database=Database(host="db")),
        "database.password",
        "{file: PATH}",
        ONE,
    ),
    Case(
        constraints.database,
        with_roles(layout("poc-2", database=Database()), ("api", "bio"), ("api",)),
        "database.host",
        "external server",
        layout("poc-2", database=Database()),
    ),
    Case(
        constraints.shared_storage,
        replace(FOUR, storage=Storage()),
        "storage.type",
        "nfs",
        layout("medium-3"),
    ),
    Case(
        constraints.updater_token,
        replace(ONE, updater=Updater()),
        "updater.token",
        "bio_updater: false",
        replace(ONE, updater=Updater(), components=Components(bio_updater=False)),
    ),
    Case(
        constraints.web_adapter_licence,
        replace(ONE, components=WEB),
        "license.web_adapter",
        "file",
        replace(ONE, components=WEB, license=License(web_adapter=LICENCE)),
    ),
    Case(
        constraints.load_balancer,
        replace(ONE, load_balancer=LoadBalancer(type="node")),
        "load_balancer.type",
        "external",
        replace(FOUR, load_balancer=LoadBalancer(type="node")),
    ),
    Case(
        constraints.load_balancer,
        replace(FOUR, load_balancer=LoadBalancer(type="node", node="n3")),
        "load_balancer.node",
        "n1 or n2",
        replace(FOUR, load_balancer=LoadBalancer(type="node", node="n2")),
    ),
    Case(
        constraints.known_images,
        replace(ONE, images={"oz-tfs": "a:1"}),
        "images.oz-tfs",
        "the closest is oz-tfss",
        replace(ONE, images={"oz-tfss": "a:1"}),
    ),
    Case(
        constraints.known_images, replace(ONE, images={"zzz": "a:1"}), "images.zzz", "use one of oz-api", ONE
    ),
    Case(
        constraints.derived_settings,
        replace(ONE, extra=Extra(config={"DB_HOST": "x"})),
        "extra.config.DB_HOST",
        "remove it",
        replace(ONE, extra=Extra(config={"OZ_SESSION_TTL": 1})),
    ),
    Case(
        constraints.known_warnings,
        replace(ONE, accept=("foo",)),
        "accept",
        "use many-nodes",
        replace(ONE, accept=("many-nodes", "host.memory/n1", "host.memory", "host/of-a-node-that-went")),
    ),
    Case(
        constraints.known_services,
        replace(ONE, unhardened=("oz-apii",)),
        "unhardened",
        "the closest is oz-api",
        replace(ONE, unhardened=("oz-api",)),
    ),
    Case(constraints.known_services, replace(ONE, unhardened=("zzz",)), "unhardened", "use one of oz-", ONE),
    Case(constraints.known_warnings, replace(ONE, accept=("/n1",)), "accept", "oz-install check shows", ONE),
    *(
        Case(addresses.no_loopback, replace(ONE, **bad), key, "other machines reach it", ONE)
        for key, bad in LOOPBACK
    ),
    *(
        Case(addresses.free_subnet, replace(TWO, network=covering), "network.subnet", "no machine", good)
        for covering, good in (
            (Network(subnet="10.0.0.0/24"), replace(TWO, network=Network(subnet="10.0.1.0/24"))),
            (Network(subnet="10.0.0.0/26"), replace(TWO, network=Network(mtu=1450))),
        )
    ),
    Case(
        addresses.free_subnet,
        replace(ONE, database=Database(host="10.9.0.7"), network=Network(subnet="10.9.0.0/24")),
        "network.subnet",
        "no machine",
        replace(ONE, database=Database(host="fd00::1"), network=Network(subnet="10.9.0.0/24")),
    ),
    Case(
        addresses.reachable_addresses,
        LOCALHOST,
        "nodes[1].address",
        "at which they reach it",
        replace(LOCALHOST, nodes=(TWO.nodes[0], replace(LOCALHOST.nodes[1], address="10.0.0.2"))),
    ),
]


def _found(case: Case, answers: Answers) -> dict[str, str]:
    scenario = load_scenarios()[answers.scenario]
    return {problem.key: problem.hint for problem in case.rule(answers, scenario, case.release)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule.__name__}-{case.key}")
def test_broken_answers_name_the_key_and_what_to_do(case: Case) -> None:
    found = _found(case, case.bad)
    assert case.key in found
    assert case.hint in found[case.key]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule.__name__}-{case.key}")
def test_answers_that_keep_the_rule_pass_it(case: Case) -> None:
    assert _found(case, case.good) == {}


def test_every_rule_has_a_case_and_every_case_a_rule_in_force() -> None:
    assert {case.rule.__name__ for case in CASES} == {getattr(rule, "__name__", "") for rule in CONSTRAINTS}


@pytest.mark.parametrize("case", [c for c in CASES if c.release is RELEASE], ids=lambda case: case.key)
def test_planning_refuses_broken_answers(case: Case) -> None:
    with pytest.raises(AnswersError) as caught:
        plan_topology(case.bad)
    assert case.key in {problem.key for problem in caught.value.problems}


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_a_loopback_address_is_fine_for_a_single_node_only(address: str) -> None:
    alone = replace(ONE, nodes=(replace(ONE.nodes[0], host=address),))
    several = replace(TWO, nodes=(replace(TWO.nodes[0], host=address), TWO.nodes[1]))
    assert check_constraints(alone) == ()
    assert [problem.key for problem in check_constraints(several)] == ["nodes[0].address"]


def test_the_reference_names_every_warning() -> None:
    from oz_installer.answers.questions import question

    assert all(one in question("accept").help for one in (*constraints.WARNINGS, constraints.OF_CHECK))


def test_an_unknown_release_stops_all_other_rules() -> None:
    problems = check_constraints(replace(answers_for("medium", 1), release="9.9"))
    assert [(problem.key, problem.hint) for problem in problems] == [("release", 'choose one of "5.2"')]


def test_all_problems_are_told_at_once() -> None:
    bad = replace(answers_for("medium", 1), database=Database(), updater=Updater())
    assert [problem.key for problem in check_constraints(bad)] == [
        "nodes", "database.host", "updater.token",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "key"),
    [
        (answers_for("medium", 5), "nodes"),
        (answers_for("poc", 3), "nodes"),
        (answers_for("high-load", 3), "scenario"),
    ],
)
def test_a_layout_that_is_refused_is_told_once_and_not_node_by_node(bad: Answers, key: str) -> None:
    assert [problem.key for problem in check_constraints(bad)] == [key]


def test_why_a_mode_cannot_be_used_is_the_catalogues_to_say() -> None:
    release = replace(
        RELEASE, sslmodes=("prefer", "verify-ca"), sslmodes_reason="it has its reasons", sslmodes_with_ca=()
    )
    bad = replace(TWO, database=replace(TWO.database, sslmode="verify-full"))
    (problem,) = constraints.database_authority(bad, load_scenarios()["poc"], release)
    assert problem.message == f"{release.title} cannot use verify-full: it has its reasons"
    assert problem.hint == "set it to one of prefer, verify-ca; verify-ca is the strictest"
