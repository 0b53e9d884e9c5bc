"""Waiting for health, on a clock of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import pytest

from oz_installer.deploy.compose import health
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event, NodeProgress, ServiceState
from oz_installer.errors import DeployError, Interrupted
from oz_installer.remote.transport import CommandResult
from oz_installer.render.compose.bundle import BundleService
from tests.unit.deploy.compose.deploy_support import Clock, FakeTransport, Pause, bundle, make_run, service

API = service("api", start_timeout=250)
BEAT = service("beat", health_command="", start_timeout=60)


@dataclass
class World:
    """What a node's containers do over time, and what was told."""

    clock: Clock
    run: NodesRun
    transport: FakeTransport
    events: list[Event] = field(default_factory=list)
    states: Callable[[float], dict[str, str]] = field(default=lambda _: {})
    passing: Callable[[float], set[str]] = field(default=lambda _: set())
    started: list[str] = field(default_factory=list)
    failing: str = "\tstarting"

    def answer(self, argv: tuple[str, ...]) -> str:
        if argv[:2] == ("podman", "ps"):
            states = self.states(self.clock.seconds)
            return "".join(f"{name}\t{status}\td\timage:1\n" for name, status in states.items())
        if argv[:2] == ("podman", "logs"):
            return f"last words of {argv[-1]}, password hunter2\n"
        if argv[:2] == ("podman", "container"):
            return "[1] curl: (7) refused\n"
        if argv[:2] == ("podman", "start"):
            self.started.append(argv[-1])
            return ""
        pairs = argv[6:]
        assert pairs[1::2] == ("true",) * (len(pairs) // 2)
        self.clock.now += float(argv[5])
        passing = self.passing(self.clock.seconds)
        return "".join(f"{name}\n" if name in passing else f"{name}{self.failing}\n" for name in pairs[::2])

    def wait(self, *services: BundleService) -> None:
        """Wait for them."""
        assert health.wait_healthy(self.run, "n1", services)

    def told(self) -> list[str]:
        found = [event for event in self.events if isinstance(event, ServiceState)]
        return [f"{event.service} {event.state}" for event in found]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    clock = Clock()
    monkeypatch.setattr(health, "monotonic", lambda: clock.now)
    transport, events = FakeTransport("n1"), list[Event]()
    run = make_run(
        bundle(API, BEAT), transports={"n1": transport}, events=events, engine="podman", secrets=["hunter2"]
    )
    run.cancelled = Pause(clock)
    made = World(clock=clock, run=run, transport=transport, events=events)
    transport.answer = made.answer
    return made


def test_healthy_at_once_by_our_own_run_of_the_check(world: World) -> None:
    world.passing = lambda _: {"api"}
    world.states = lambda _: {"api": "Up 2 seconds (starting)"}
    world.wait(API)
    assert world.told() == ["api healthy"]
    progress = [event for event in world.events if isinstance(event, NodeProgress)]
    assert (progress[-1].text, progress[-1].done, progress[-1].total) == ("all healthy", 1, 1)


def test_healthy_after_a_while(world: World) -> None:
    world.passing = lambda at: {"api"} if at > 60 else set()
    world.states = lambda at: {"api": "Up 2 seconds (starting)"}
    world.wait(API)
    assert 60 < world.clock.seconds < 70


def test_healthy_as_the_engine_says(world: World) -> None:
    world.states = lambda at: {"api": "Up 2 minutes (healthy)"}
    world.wait(API)
    assert world.told() == ["api healthy"]


def test_unhealthy_fails_with_log_and_health_output(world: World) -> None:
    world.states = lambda at: {"api": "Up 2 minutes (unhealthy)"}
    with pytest.raises(DeployError) as caught:
        world.wait(API)
    assert str(caught.value) == "n1: api (Api) is unhealthy"
    assert "last words of api, password ********" in caught.value.details
    assert "curl: (7) refused" in caught.value.details
    assert world.told() == ["api unhealthy"]


def test_a_container_that_stays_down_fails_soon(world: World) -> None:
    world.states = lambda at: {"api": "Exited (3) 2 seconds ago"}
    with pytest.raises(DeployError, match=r"does not stay up \(Exited \(3\) 2 seconds ago\)"):
        world.wait(API)
    assert health.CRASHING_SECONDS < world.clock.seconds < health.CRASHING_SECONDS + 10


def test_killed_in_rollback_what_stops_while_it_is_waited_for_is_started_once(world: World) -> None:
    """Its engine finishes a stop that a dead run had asked for, and starts nothing that was stopped."""

    def states(at: float) -> dict[str, str]:
        up = at < 3 or "api" in world.started
        return {"api": "Up 5 seconds (starting)" if up else "Exited (0) 1 second ago"}

    world.states = states
    world.passing = lambda at: {"api"} if "api" in world.started and at > 9 else set()
    world.wait(API)
    assert world.started == ["api"]


def test_a_container_that_is_not_there_fails_soon(world: World) -> None:
    with pytest.raises(DeployError, match=r"does not stay up \(no container\)"):
        world.wait(API)
    assert world.clock.seconds < health.CRASHING_SECONDS + 10


def test_a_crash_loop_ends_with_the_patience(world: World) -> None:
    world.states = lambda at: {"api": "Up 1 second (starting)" if int(at / 5) % 2 else "Restarting (1)"}
    with pytest.raises(DeployError, match=r"api .* does not stay up"):
        world.wait(API)
    assert 250 < world.clock.seconds < 260


def test_never_healthy_within_the_limit_of_the_run(world: World) -> None:
    world.run = make_run(
        bundle(API),
        transports={"n1": world.transport},
        events=world.events,
        engine="podman",
        health_timeout=12,
    )
    world.run.cancelled = Pause(world.clock)
    world.states = lambda at: {"api": "Up 2 seconds (starting)"}
    with pytest.raises(DeployError, match=r"is not healthy after 1[0-9] s"):
        world.wait(API)
    assert 12 < world.clock.seconds < 20


def test_each_service_has_its_own_patience(world: World) -> None:
    slow = service("tfss", start_timeout=810)
    world.states = lambda at: dict.fromkeys(("tfss", "api"), "Up 1 second (starting)")
    world.passing = lambda at: {name for name, due in (("tfss", 700), ("api", 100)) if at > due}
    world.wait(slow, API)
    assert world.told() == ["api healthy", "tfss healthy"]


def test_a_service_without_a_check_needs_only_to_run(world: World) -> None:
    world.states = lambda at: {"beat": "Up 1 second"}
    world.wait(BEAT)
    assert world.told() == ["beat running"]
    assert "checks" not in world.transport.words()


def test_one_without_a_check_that_crashes_at_once_is_not_taken_for_running(world: World) -> None:
    """It runs when it is first looked at; those with a check take longer."""
    world.states = lambda at: {
        "beat": "Up Less than a second" if at < 1 else "Restarting (1) 3 seconds ago",
        "api": "Up 9 seconds (starting)",
    }
    world.passing = lambda at: {"api"} if at > 8 else set()
    with pytest.raises(DeployError, match=r"beat .* does not stay up"):
        world.wait(API, BEAT)


def test_what_keeps_failing_is_told_while_it_is_waited_for(world: World) -> None:
    """Not at first: a service that has just started may well refuse."""
    world.states = lambda _: {"api": "Up 1 second (health: starting)"}
    world.failing = "\tcurl: (7) \x1b[2JFailed to connect to 127.0.0.1 port 3128, hunter2 "
    world.passing = lambda now: {"api"} if now > 20 else set()
    world.wait(API)
    told = [event.text for event in world.events if isinstance(event, NodeProgress)]
    shown = "waiting for api (curl: (7) Failed to connect to 127.0.0.1 port 3128, ********)"
    assert told.index("waiting for api") < told.index(shown)
    assert told[:2] == ["waiting for api"] * 2
    assert "hunter2" not in repr(told)
    assert told[-1] == "all healthy"


def test_stopping_is_noticed(world: World) -> None:
    world.states = lambda at: {"api": "Up 2 seconds (starting)"}
    world.passing = lambda at: world.run.stop.set() or set()  # type: ignore[func-returns-value]
    with pytest.raises(Interrupted):
        world.wait(API)
    assert world.clock.seconds < 10


def test_the_checks_run_for_real(tmp_path: Path) -> None:
    """Two containers at once, one that passes at the third try, one never: under a plain shell."""
    fake = tmp_path / "engine"
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = exec ] || exit 9\necho x >> {tmp_path}/tries.$2\n'
        f'[ "$2" = good ] && [ "$(wc -l < {tmp_path}/tries.good)" -ge 3 ] && exec "$3" "$4" "$5"\n'
        f"echo it is; echo down >&2\nexit 1\n"
    )
    fake.chmod(0o755)
    argv = commands.run_health_checks(str(fake), 2, [("good", "test 'a b' = \"a b\""), ("bad", "true")])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "good\nbad\tit is down \n"
    assert isinstance(CommandResult(argv=argv, status=0).ok, bool)


def test_no_more_checks_run_at_once_than_the_node_has_cpus(tmp_path: Path) -> None:
    """A check of Celery's costs a second of CPU, and what is checked needs it to get up."""
    log = tmp_path / "log"
    programs = {
        "engine": f"#!/bin/sh\necho begin >> {log}\nsleep 0.1\necho end >> {log}\n",
        "nproc": "#!/bin/sh\necho 2\n",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    names = [f"queue{number}" for number in range(7)]
    argv = commands.run_health_checks(str(tmp_path / "engine"), 20, [(name, "true") for name in names])
    search = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True, env=search)
    assert sorted(done.stdout.split()) == names
    running = list(accumulate(1 if line == "begin" else -1 for line in log.read_text().split()))
    assert len(running) == 2 * len(names)
    assert max(running) == 2
