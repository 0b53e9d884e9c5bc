"""Bundle and facts -> what changes: one case a situation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.planner import plan_changes, plan_node
from oz_installer.deploy.plan import TargetPlan
from oz_installer.image_reference import has_image
from tests.unit.deploy.compose.deploy_support import bundle, container, details, fresh, installed, service

WANTED = bundle(
    service("job", job=True),
    service("api"),
    service("beat", health_command=""),
    config_api="one\n",
    secret_api="two\n",
)
OLD = bundle(
    service("job", job=True),
    service("api", digest="older"),
    service("beat", health_command=""),
    config_api="old\n",
    secret_api="two\n",
)


def summary(plan: TargetPlan) -> dict[str, Any]:
    """The plan in a form that reads well in a table."""
    return {
        **{f"file {change.name}": change.action for change in plan.files},
        **{f"service {change.name}": change.action for change in plan.services},
        **{f"job {name}": "run" for name in plan.jobs},
        **{f"image {name}": "pull" for name in plan.images},
    }


def with_containers(**statuses: str) -> dict[str, Any]:
    return {"containers": {name: container(name, status) for name, status in statuses.items()}}


API, BEAT = "Up 1 hour (healthy)", "Up 1 hour"
CASES: dict[str, tuple[Callable[[], NodeFacts], dict[str, str]]] = {
    "fresh": (
        fresh,
        {
            "file compose.yaml": "new",
            "file config/api": "new",
            "file secret/api": "new",
            "service api": "start",
            "service beat": "start",
            "job job": "run",
            "image example/job:1": "pull",
            "image example/api:1": "pull",
            "image example/beat:1": "pull",
        },
    ),
    "nothing to do": (lambda: installed(WANTED), {}),
    "one file changed": (
        lambda: installed(OLD),
        {"file config/api": "changed", "service api": "recreate", "image example/api:1": "pull"},
    ),
    "wrong mode": (lambda: installed(WANTED, wrong_modes=("secret/api",)), {"file secret/api": "drifted"}),
    "a file is gone": (
        lambda: installed(WANTED, files={f.path: f.digest for f in WANTED.files if f.path != "config/api"}),
        {"file config/api": "drifted"},
    ),
    "a foreign file": (
        lambda: installed(WANTED, files={**{f.path: f.digest for f in WANTED.files}, "config/api~": "x"}),
        {"file config/api~": "removed"},
    ),
    "record lost": (lambda: installed(WANTED, record=None), {}),
    "a service too many": (
        lambda: installed(WANTED, **with_containers(api=API, beat=BEAT, gone="Exited (0) 1 hour ago")),
        {"service gone": "remove"},
    ),
    "unhealthy": (
        lambda: installed(WANTED, **with_containers(api="Up 1 hour (unhealthy)", beat=BEAT)),
        {"service api": "restart"},
    ),
    "starting, verified": (
        lambda: installed(WANTED, **with_containers(api="Up 9 seconds (health: starting)", beat=BEAT)),
        {},
    ),
    "starting, not verified": (
        lambda: installed(
            WANTED, verified="", **with_containers(api="Up 9 seconds (health: starting)", beat=BEAT)
        ),
        {"service api": "wait"},
    ),
    "starting, another bundle verified": (
        lambda: installed(
            WANTED, verified=OLD.digest, **with_containers(api="Up 9 seconds (starting)", beat=BEAT)
        ),
        {"service api": "wait"},
    ),
    "starting, but well before another service changed": (
        lambda: installed(
            OLD,
            containers={
                "api": container("api", digest="older"),
                "beat": container("beat", "Up 9 seconds (health: starting)"),
            },
        ),
        {"file config/api": "changed", "service api": "recreate", "image example/api:1": "pull"},
    ),
    "crashed": (
        lambda: installed(WANTED, **with_containers(api=API, beat="Exited (1) 5 seconds ago")),
        {"service beat": "start", "image example/beat:1": "pull"},
    ),
    "crash loop": (
        lambda: installed(WANTED, **with_containers(api=API, beat="Restarting (1) 5 seconds ago")),
        {"service beat": "start", "image example/beat:1": "pull"},
    ),
    "paused": (
        lambda: installed(WANTED, **with_containers(api="Up 1 hour (Paused)", beat=BEAT)),
        {"service api": "start", "image example/api:1": "pull"},
    ),
    "container gone": (
        lambda: installed(WANTED, **with_containers(api=API)),
        {"service beat": "start", "image example/beat:1": "pull"},
    ),
    "job not done": (
        lambda: installed(WANTED, jobs={}),
        {"job job": "run", "image example/job:1": "pull"},
    ),
    "job of other settings": (
        lambda: installed(WANTED, jobs={"job": "older"}),
        {"job job": "run", "image example/job:1": "pull"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_plan(name: str) -> None:
    make, expected = CASES[name]
    plan = plan_node(WANTED, make())
    assert summary(plan) == expected
    assert plan.nothing_to_do is not bool(expected)


def test_a_file_that_was_changed_by_hand_is_drifted_and_its_readers_restart() -> None:
    wanted = bundle(service("api", config_files=("config/api",)), service("beat"), config_api="one\n")
    there = {f.path: f.digest for f in wanted.files}
    plan = plan_node(wanted, installed(wanted, files={**there, "config/api": "by hand"}))
    assert summary(plan) == {"file config/api": "drifted", "service api": "restart"}
    assert plan.services[0].reason == "config/api, which it reads, was changed by hand"


def test_a_file_that_only_lost_its_mode_restarts_nothing() -> None:
    wanted = bundle(service("api", config_files=("config/api",)), config_api="one\n")
    plan = plan_node(wanted, installed(wanted, wrong_modes=("config/api",)))
    assert summary(plan) == {"file config/api": "drifted"}


def test_a_file_changed_by_hand_since_and_by_the_answers_is_changed() -> None:
    there = {f.path: f.digest for f in OLD.files}
    plan = plan_node(WANTED, installed(OLD, files={**there, "config/api": "by hand"}))
    assert summary(plan)["file config/api"] == "changed"
    assert summary(plan)["service api"] == "recreate"


def test_changes_stand_in_the_order_of_the_start_and_removals_first() -> None:
    facts = installed(WANTED, containers={"z": container("z"), "a": container("a")})
    assert [change.name for change in plan_node(WANTED, facts).services] == ["a", "z", "api", "beat"]


def test_reasons_tell_what_the_engine_says() -> None:
    facts = installed(WANTED, **with_containers(api="Exited (137) 4 minutes ago", beat=BEAT))
    assert plan_node(WANTED, facts).services[0].reason == "is not running: Exited (137) 4 minutes ago"


def test_images_are_looked_for_only_for_what_starts_and_named_once() -> None:
    one = bundle(service("a", image="same:1"), service("b", image="same:1"), service("c"))
    facts = installed(one, containers={"c": container("c")})
    assert plan_node(one, facts).images == ("same:1",)
    there = replace(facts, details=details(images=frozenset({"same:1"})))
    assert plan_node(one, there).images == ()


def test_nodes_keep_the_operators_order() -> None:
    bundles = {name: bundle(node=name) for name in ("z", "a", "m")}
    plan = plan_changes(bundles, {name: fresh(name) for name in bundles})
    assert [node.target for node in plan.targets] == ["z", "a", "m"]
    assert not plan.nothing_to_do
    assert plan.of("a").target == "a"
    with pytest.raises(KeyError):
        plan.of("nobody")


SHA = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("there", "image", "found"),
    [
        ("nginx:1.27.3", "nginx:1.27.3", True),
        ("docker.io/library/nginx:1.27.3", "nginx:1.27.3", True),
        ("docker.io/ozforensics/oz-api:5.2", "ozforensics/oz-api:5.2", True),
        ("nginx:1.27.3", "docker.io/library/nginx:1.27.3", True),
        ("library/nginx:1.27.3", "docker.io/nginx:1.27.3", True),
        ("nginx:latest", "nginx", True),
        ("reg.example.com:5000/oz:latest", "reg.example.com:5000/oz", True),
        ("reg.example.com:5000/oz:5", "reg.example.com:5000/oz:5", True),
        ("reg.example.com:5000/oz:5", "oz:5", False),
        ("oz:5", "reg.example.com:5000/oz:5", False),
        ("reg.example.com/library/nginx:1", "nginx:1", False),
        ("nginx:1.27.4", "nginx:1.27.3", False),
        ("nginx:1.27", "nginx:1.27.3", False),
        (f"nginx@{SHA}", f"nginx@{SHA}", True),
        (f"docker.io/library/nginx@{SHA}", f"nginx@{SHA}", True),
        (f"nginx@{SHA}", f"nginx:1.27.3@{SHA}", True),
        (f"reg:5000/a/nginx@{SHA}", f"reg:5000/a/nginx:1.27.3@{SHA}", True),
        (f"nginx@sha256:{'b' * 64}", f"nginx@{SHA}", False),
        (f"nginx@{SHA}", "nginx:1.27.3", False),
    ],
)
def test_an_image_is_known_by_each_of_its_names(there: str, image: str, found: bool) -> None:
    assert has_image(frozenset({there, "other:1"}), image) is found


@pytest.mark.parametrize(
    ("before", "moves"),
    [
        (
            {"database": "db1:5432/gateway", "media": "/mnt/oz"},
            [("database", "db1:5432/gateway", "db2:5432/gateway")],
        ),
        ({"database": "db2:5432/gateway", "media": "/mnt/oz"}, []),
        ({}, []),  # a record of an older version says nothing
    ],
)
def test_data_that_are_kept_elsewhere_from_now_on(
    before: dict[str, str], moves: list[tuple[str, str, str]]
) -> None:
    wanted = replace(WANTED, data={"database": "db2:5432/gateway", "media": "/mnt/oz"})
    plan = plan_changes({"n1": wanted}, {"n1": installed(replace(OLD, data=before))}).of("n1")
    assert [(move.what, move.before, move.now) for move in plan.moves] == moves
    assert plan_changes({"n1": wanted}, {"n1": fresh()}).of("n1").moves == ()


def test_data_of_a_node_that_runs_the_api_no_longer() -> None:
    """The API has moved to another node: its data stay on the first."""
    before = installed(replace(OLD, data={"database": "the bundled PostgreSQL"}))
    without = replace(WANTED, data={})
    other = replace(WANTED, node="n2", data={"database": "db2:5432/gateway"})
    plan = plan_changes({"n1": without, "n2": other}, {"n1": before, "n2": fresh()})
    (move,) = plan.of("n1").moves
    assert (move.before, move.now) == ("the bundled PostgreSQL", "db2:5432/gateway")
    assert plan.of("n2").moves == ()


def test_where_data_lie_is_no_change_by_itself() -> None:
    """The files say so, too; a record without it is not written anew."""
    wanted = replace(WANTED, data={"database": "db2:5432/gateway"})
    assert wanted.digest == WANTED.digest
    assert plan_node(wanted, installed(WANTED)).nothing_to_do
