"""Services that are recreated while they run are down only for their own stop and start."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.phases.start_groups import StartGroup, run_groups, start_groups
from oz_installer.errors import ConnectError, DeployError, Interrupted, LockedError, OzError
from oz_installer.render.compose.bundle import BundleService
from tests.unit.deploy.compose.deploy_support import container, fresh, make_run, service
from tests.unit.render.bundle_cases import case

API = service("api", serves=True, needs=("search", "redis"))
SEARCH = service("search", serves=True, needs=())
QUEUE, BEAT = service("queue", needs=("redis",)), service("beat")
ALL = (SEARCH, API, QUEUE, BEAT)


def shown(services: tuple[BundleService, ...], actions: dict[str, str], facts: NodeFacts) -> list[str]:
    """The groups: how, names, and after what."""
    groups = start_groups(services, actions, facts)
    return [f"{one.how} {' '.join(one.names)} < {' '.join(sorted(one.after))}".rstrip(" <") for one in groups]


def running(*names: str, status: str = "Up 1 hour (healthy)") -> NodeFacts:
    return fresh(containers={name: container(name, status, digest="older") for name in names})


def test_what_does_not_run_is_started_by_one_command() -> None:
    """A fresh installation takes no longer than one ``up`` a stage."""
    assert shown(ALL, {one.name: "start" for one in ALL}, fresh()) == ["up search api queue beat"]


def test_each_service_that_serves_others_is_recreated_alone_and_queues_together() -> None:
    """OWN-UP: one ``up`` of all starts the API when the slowest queue has stopped."""
    actions = {one.name: "recreate" for one in ALL}
    groups = shown(ALL, actions, running("search", "api", "queue", "beat"))
    assert groups == ["up search", "up api < search", "up queue beat < api search"]


def test_a_container_that_is_recreated_but_does_not_run_interrupts_nobody() -> None:
    stopped = running("search", "api", status="Exited (1) 3 minutes ago")
    assert shown((SEARCH, API), {"search": "recreate", "api": "recreate"}, stopped) == ["up search api"]


def test_what_is_restarted_or_awaited_keeps_the_order_too() -> None:
    facts = running("search", "api", "beat")
    actions = {"search": "wait", "api": "restart", "beat": "recreate", "queue": "start"}
    assert shown(ALL, actions, facts) == [
        "up queue",
        "wait search",
        "restart api < search",
        "up beat < api search",
    ]


# --- running them --------------------------------------------------------------------------------------


def group(name: str, *after: str) -> StartGroup:
    return StartGroup(services=(service(name),), after=frozenset(after))


class Log:
    """What began and ended, in order."""

    def __init__(self, also: Callable[[str], None] = lambda _: None) -> None:
        self.lines: list[str] = []
        self._also, self._lock = also, threading.Lock()

    def start(self, one: StartGroup) -> None:
        self._add(f"+{one.names[0]}")
        self._also(one.names[0])
        self._add(f"-{one.names[0]}")

    def _add(self, line: str) -> None:
        with self._lock:
            self.lines.append(line)


def test_a_group_begins_when_what_it_needs_is_healthy() -> None:
    run, log = make_run(), Log()
    run_groups(run, [group("web", "api", "search"), group("api"), group("search")], log.start)
    assert log.lines.index("+web") > max(log.lines.index("-api"), log.lines.index("-search"))


def test_groups_that_do_not_need_each_other_run_at_once_but_not_too_many() -> None:
    run = make_run()
    together = threading.Barrier(run.gate.at_once)
    log = Log(lambda name: None if name == "last" else (together.wait(30), None)[1])
    run_groups(run, [*(group(f"s{n}") for n in range(run.gate.at_once)), group("last")], log.start)
    assert log.lines.index("+last") >= run.gate.at_once + 1


def test_a_failure_ends_the_others_and_begins_no_more() -> None:
    run = make_run()

    def start(one: StartGroup) -> None:
        if one.names == ("redis",):
            raise DeployError("redis does not start")
        if one.names == ("pg",):
            assert run.cancelled.wait(30)
            run.check_cancelled()
        raise AssertionError(f"{one.names} began")

    with pytest.raises(DeployError, match=r"^redis does not start$"):
        run_groups(run, [group("pg"), group("redis"), group("api", "redis")], start)


@pytest.mark.parametrize("kind", [ConnectError, LockedError])
def test_what_concerns_the_node_is_told_once(kind: type[OzError]) -> None:
    together = threading.Barrier(2)

    def start(one: StartGroup) -> None:
        together.wait(30)
        raise kind(f"lost while {one.names[0]} started", node="n1")

    with pytest.raises(kind, match=r"^n1: lost while \w+ started$"):
        run_groups(make_run(), [group("pg"), group("redis")], start)


def test_the_request_to_stop_is_told_as_such() -> None:
    run = make_run()
    run.stop.set()
    with pytest.raises(Interrupted):
        run_groups(run, [group("pg"), group("redis")], lambda _: run.check_cancelled())


# --- the catalogue -------------------------------------------------------------------------------------


def recreated(name: str, node: str) -> dict[str, list[str]]:
    """The groups of a node's stages when everything on it is recreated."""
    services = case(name)[node].long_running
    facts = running(*(one.name for one in services))
    actions = {one.name: "recreate" for one in services}
    stages = dict.fromkeys(one.stage for one in services)
    return {
        stage: shown(tuple(one for one in services if one.stage == stage), actions, facts) for stage in stages
    }


def test_what_the_catalogue_says_of_one_node() -> None:
    """OWN-UP: Redis does not wait for the updater (10 s of grace), nor the API for its queues."""
    found = recreated("everything on one", "n1")
    assert {"up oz-redis", "up oz-bio-updater", "up oz-api-pg", "up oz-o2n-pg"} == set(found["foundation"])
    assert "up oz-api < oz-api-o2n" in found["app"]
    queues, _, before = found["app"][-1].partition(" < ")
    assert "oz-api" in before.split()
    assert "oz-celery-default" in queues
    assert "oz-celery-beat" in queues
    assert found["edge"][:2] == ["up oz-statistic", "up oz-api-nginx < oz-statistic"]
    assert found["edge"][-1].startswith("up oz-api-flower oz-redis-exporter")
    assert {"oz-api-nginx", "oz-webui"} <= set(found["edge"][-1].partition(" < ")[2].split())


def test_what_other_nodes_ask_is_recreated_alone() -> None:
    assert recreated("medium-4", "n3")["bio"] == ["up oz-tfss"]
    assert "up oz-redis" in recreated("medium-4", "n1")["foundation"]
