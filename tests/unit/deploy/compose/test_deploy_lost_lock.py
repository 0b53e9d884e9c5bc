"""A run whose lock another run has taken over changes nothing any more, and claims no rollback."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.container_engine import pull
from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.phases.start import Start
from oz_installer.deploy.compose.planner import plan_node
from oz_installer.deploy.compose.recipes import install
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event, Message
from oz_installer.deploy.runner import run_phases
from oz_installer.errors import DeployError, LockedError
from oz_installer.remote.docker_commands import detect_compose
from oz_installer.remote.transport import CommandResult
from tests.unit.deploy.compose.deploy_support import (
    Answer,
    FakeTransport,
    bundle,
    details,
    failed,
    fresh,
    installed,
    make_run,
    service,
    short,
)

NEW = bundle(
    service("init", job=True), service("api"), service("beat", health_command=""), config_api="new\n"
)
OLD = bundle(service("init", job=True, digest="old"), service("api", digest="old"), service("gone"))
READS = (
    "true",
    "podman ps",
    "podman container inspect",
    "podman logs",
    "checks",
    "node.sh lock",
    "node.sh unlock",
)
LOST = failed(5, "this run no longer holds the lock")


def podman_run(
    transport: Any, *, upgrade: bool, facts: NodeFacts | None = None, events: list[Event] | None = None
) -> NodesRun:
    """An installation on a node with Podman, or an upgrade of what is there."""
    facts = facts or (installed(OLD, good="000001") if upgrade else fresh(details=details()))
    run = make_run(
        NEW,
        transports={"n1": transport},
        facts={"n1": facts},
        plans=[plan_node(NEW, facts)],
        events=events,
        engine="podman",
    )
    tool = detect_compose("podman", plugin="", v1="", podman_compose="podman-compose version 1.2.0")
    assert tool is not None
    run.compose["n1"] = tool
    return run


def healthy_until(verb: str) -> Answer:
    """A node on which all goes well, but the command with this word fails."""

    def answer(argv: tuple[str, ...]) -> CommandResult | str | None:
        if f"{short(argv)} ".startswith(f"{verb} "):  # not switch_back for switch
            return failed(1, "broken on purpose")
        if argv[:2] == ("podman", "ps"):
            return "".join(f"{name}\tUp 5 seconds\td\ti\n" for name in ("api", "beat", "gone", "stray"))
        return "api\nbeat\ngone\n" if "until passes" in argv[2] else None

    return answer


@pytest.mark.parametrize("upgrade", [False, True], ids=["first", "upgrade"])
@pytest.mark.parametrize(
    "verb", ["node.sh mark_verified", "compose up", "compose run", "node.sh switch", "podman pull"]
)
def test_lost_lock_every_command_that_changes_the_node_asks_in_the_same_command(
    verb: str, upgrade: bool
) -> None:
    node = FakeTransport("n1", healthy_until(verb))
    run = podman_run(node, upgrade=upgrade)
    with pytest.raises(DeployError):
        run_phases(install()[1:], run)  # without the check of the engine
    unasked = [short(sent.argv) for sent in node.sent if not sent.asks]
    assert [words for words in unasked if not words.startswith(READS)] == []
    asking = {short(sent.argv).split()[0] for sent in node.sent if sent.asks}
    assert asking >= {"podman", "node.sh"}, asking


def test_lost_lock_the_containers_of_jobs_are_not_removed_either() -> None:
    node = FakeTransport("n1")
    Start("app")._end_jobs(podman_run(node, upgrade=False), "n1")
    assert [sent.asks for sent in node.sent] == [True]


@pytest.mark.parametrize("upgrade", [False, True], ids=["first", "upgrade"])
def test_lost_lock_nothing_is_rolled_back_and_that_is_said(upgrade: bool) -> None:
    taken = threading.Event()

    def answer(argv: tuple[str, ...]) -> CommandResult | str | None:
        if short(argv).startswith("compose up"):
            taken.set()
        asks = not short(argv).startswith(READS)
        return LOST if taken.is_set() and asks else healthy_until("nothing")(argv)

    events: list[Event] = []
    node = FakeTransport("n1", answer)
    with pytest.raises(LockedError) as caught:
        run_phases(install()[1:], podman_run(node, upgrade=upgrade, events=events))
    error = caught.value
    assert error.exit_code == 5
    assert error.message.splitlines()[1:] == [
        "not everything could be rolled back:",
        "  n1: another run has taken over the node, with what this run changed there",
    ]
    assert "run again after its end" in error.hint
    assert "repair what remains" not in error.hint
    assert not [event for event in events if isinstance(event, Message) and "rolled back:" in event.text]


def test_lost_lock_nothing_is_pulled() -> None:
    for engine in ("docker", "podman"):
        run = make_run(transports={"n1": FakeTransport(answer=lambda argv: LOST)}, engine=engine)
        with pytest.raises(LockedError):
            pull(run, "n1", "an/image:1", "pulling")


# --- node.sh for real ----------------------------------------------------------------------------------


@dataclass
class ShellNode(FakeTransport):
    """A node whose commands run on this machine; its engine is a script that writes down what it is told."""

    tools: Path = Path()

    def run(
        self, argv: Sequence[str], *, stdin: bytes | Iterable[bytes] | None = None, **_: Any
    ) -> CommandResult:
        environment = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"}
        given = stdin if isinstance(stdin, bytes) else b""
        done = subprocess.run(list(argv), input=given, capture_output=True, env=environment, check=False)
        return CommandResult(argv=tuple(argv), status=done.returncode, stdout=done.stdout, stderr=done.stderr)


@pytest.fixture
def shell_node(tmp_path: Path) -> ShellNode:
    """A node with an engine that does whatever it is told, and writes it down."""
    engine = tmp_path / "podman"
    engine.write_text(f'#!/bin/sh\nprintf "%s %s\\n" "$(umask)" "$*" >> {tmp_path}/told\n')
    engine.chmod(0o755)
    return ShellNode("n1", tools=tmp_path)


def test_lost_lock_a_command_of_the_engine_does_not_run(shell_node: ShellNode, tmp_path: Path) -> None:
    folder, told = str(tmp_path / "oz"), tmp_path / "told"
    assert shell_node.run(commands.lock(folder, "r1", "me")).ok
    mine = commands.under_lock(folder, "r1", "remove api", ("podman", "rm", "api"))
    assert shell_node.run(mine).ok
    assert told.read_text() == f"{os.popen('umask').read().strip()} rm api\n"  # noqa: S605
    assert "Z remove api\n" in (tmp_path / "oz/journal").read_text()
    (tmp_path / "oz/lock/run").write_text("r2\n")
    lost = shell_node.run(mine)
    assert (lost.status, lost.stderr_text) == (5, "this run no longer holds the lock")
    assert told.read_text().count("\n") == 1


def test_lost_lock_the_status_of_a_command_is_kept(shell_node: ShellNode, tmp_path: Path) -> None:
    folder = str(tmp_path / "oz")
    shell_node.run(commands.lock(folder, "r1", "me"))
    assert shell_node.run(commands.under_lock(folder, "r1", "fail", ("sh", "-c", "exit 7"))).status == 7


def test_lost_lock_a_takeover_waits_for_the_last_command_of_the_other(
    shell_node: ShellNode, tmp_path: Path
) -> None:
    folder, go = str(tmp_path / "oz"), tmp_path / "go"
    shell_node.run(commands.lock(folder, "r1", "me"))
    waits = ("sh", "-c", f"until [ -e {go} ]; do sleep 0.1; done; echo done > {tmp_path}/ended")
    last = subprocess.Popen(list(commands.under_lock(folder, "r1", "start api", waits)))
    while "start api" not in (tmp_path / "oz/journal").read_text():
        pass
    taking = threading.Thread(
        target=lambda: shell_node.run(commands.lock(folder, "r2", "you", dead="r1")), daemon=True
    )
    taking.start()
    while "you" not in (tmp_path / "oz/journal").read_text():
        assert taking.is_alive()
    assert taking.is_alive()
    go.touch()
    taking.join(60)
    last.wait(60)
    assert not taking.is_alive()
    assert (tmp_path / "ended").exists()
