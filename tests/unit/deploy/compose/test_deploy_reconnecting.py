"""A node whose connection is lost in any phase is waited for, and then rolled back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from oz_installer.deploy.compose import reconnect
from oz_installer.deploy.compose.phases.lock import Lock
from oz_installer.deploy.compose.recipes import install
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event, Message, NodeProgress
from oz_installer.deploy.runner import run_phases
from oz_installer.errors import ConnectError, DeployError
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.paramiko_import import paramiko
from oz_installer.remote.transport import CommandResult
from tests.unit.deploy.compose.deploy_support import Clock, FakeTransport, Pause, short, without_guard
from tests.unit.deploy.compose.test_deploy_lost_lock import healthy_until, podman_run

STEPS = (
    "node.sh lock",
    "node.sh stage",
    "podman pull",
    "node.sh switch",
    "podman rm",
    "compose run",
    "node.sh mark_job_done",
    "compose up",
    "checks",
    "node.sh mark_verified",
)
"""One command of every phase that has any, in their order."""


@dataclass
class Cable(FakeTransport):
    """A connection that is lost at a command, before or after the node has carried it out."""

    cut_at: str = ""
    late: bool = False
    cut: bool = False

    def run(
        self, argv: Sequence[str], *, stdin: bytes | Iterable[bytes] | None = None, **options: Any
    ) -> CommandResult:
        hit = short(without_guard(argv)).startswith(self.cut_at) if self.cut_at else False
        if (hit and not self.late) or self.cut:
            self.cut = True
            raise ConnectError("connection lost: the server closed it", "Run again to resume.", node="n1")
        result = super().run(argv, stdin=stdin, **options)
        if hit:
            self.cut = True
            raise ConnectError("connection lost: the server closed it", "Run again to resume.", node="n1")
        return result


@dataclass
class Away:
    """A node that cannot be connected to for some time."""

    run: NodesRun
    fresh: FakeTransport
    tries: int = 0
    asked: int = 0
    transports: dict[str, Any] = field(default_factory=dict)

    def __call__(self, node: str) -> None:
        self.asked += 1
        if self.asked <= self.tries:
            raise ConnectError("port 22 of 10.0.0.1 is closed", node=node)
        self.transports[node] = self.fresh


def lost_run(
    cut_at: str, *, upgrade: bool, late: bool, away: int = 2, answer: Callable[..., Any] | None = None
) -> tuple[NodesRun, Cable, FakeTransport, Away, list[Event]]:
    """A run whose connection is lost; when it comes back, and what it is told then."""
    events: list[Event] = []
    cable = Cable("n1", healthy_until("nothing"), cut_at=cut_at, late=late)
    again = FakeTransport("n1", answer or healthy_until("nothing"))
    run = podman_run(cable, upgrade=upgrade, events=events)
    run.cancelled = Pause(Clock())
    gone = Away(run, again, tries=away, transports=run.transports)  # type: ignore[arg-type]
    run.reopen = gone
    return run, cable, again, gone, events


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("upgrade", [False, True], ids=["first", "upgrade"])
@pytest.mark.parametrize("step", STEPS)
def test_never_reconnected_a_connection_lost_in_any_phase(step: str, upgrade: bool, late: bool) -> None:
    if step == "podman rm" and not upgrade:
        step = "node.sh mark_verified"  # nothing is obsolete
    run, cable, again, gone, events = lost_run(step, upgrade=upgrade, late=late)
    with pytest.raises(DeployError) as caught:
        run_phases(install()[1:], run)
    assert cable.cut
    assert str(caught.value) == "n1: connection lost: the server closed it", caught.value
    assert gone.asked == 3
    words = again.words()
    assert words[0] == "node.sh wait_idle"
    assert words[-1] == "node.sh unlock"
    switched = STEPS.index(step) >= STEPS.index("node.sh switch")
    assert ("node.sh switch_back" in words) == switched
    assert ("node.sh unstage" in words) == (step != "node.sh lock")
    said = [event.text for event in events if isinstance(event, Message)]
    assert any("waiting up to 10 minutes for the node to come back" in text for text in said)
    assert any(text.startswith("connected again after ") for text in said)
    waiting = [
        event.text for event in events if isinstance(event, NodeProgress) and "come back" in event.text
    ]
    assert len(waiting) == 2
    assert all(text.endswith("port 22 of 10.0.0.1 is closed") for text in waiting)


def test_never_reconnected_a_connection_that_is_lost_again_while_undoing() -> None:
    run, _, first, gone, _ = lost_run("compose up", upgrade=True, late=False)
    second = Cable("n1", healthy_until("nothing"), cut_at="node.sh switch_back")
    third = first
    opened = iter([second, third])

    def reopen(node: str) -> None:
        gone.transports[node] = next(opened)

    run.reopen = reopen
    with pytest.raises(DeployError) as caught:
        run_phases(install()[1:], run)
    assert str(caught.value) == "n1: connection lost: the server closed it"
    own = [word for word in third.words() if word.startswith("node.sh")]
    assert own == ["node.sh wait_idle", "node.sh switch_back", "node.sh unstage", "node.sh unlock"]


def test_never_reconnected_the_engine_of_a_node_that_rebooted_is_waited_for() -> None:
    settling: list[int] = []

    def answer(argv: tuple[str, ...]) -> CommandResult | str | None:
        if short(argv) == "node.sh wait_idle":
            settling.append(1)
            if len(settling) < 3:
                error = b"podman does not answer\n"
                return CommandResult(argv=argv, status=1, stderr=error)
        return healthy_until("nothing")(argv)

    run, _, again, _, events = lost_run("compose up", upgrade=True, late=False, answer=answer)
    with pytest.raises(DeployError):
        run_phases(install()[1:], run)
    words = again.words()
    assert [at for at, word in enumerate(words) if word == "node.sh wait_idle"] == [0, 1, 2]
    assert "node.sh switch_back" in words
    told = [event.text for event in events if isinstance(event, NodeProgress)]
    assert any(text.endswith("podman does not answer") for text in told)


def test_never_reconnected_a_node_that_does_not_come_back_is_given_up_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, _, again, _, _ = lost_run("compose up", upgrade=True, late=False, away=10**6)
    clock = Clock()
    run.cancelled = Pause(clock)
    monkeypatch.setattr(reconnect, "monotonic", lambda: clock.now)
    with pytest.raises(DeployError) as caught:
        run_phases(install()[1:], run)
    assert again.sent == []
    assert clock.seconds >= reconnect.PATIENCE_SECONDS
    assert clock.seconds < reconnect.PATIENCE_SECONDS + 2 * reconnect.AGAIN_SECONDS  # once, not once a phase
    assert caught.value.exit_code == 4
    assert "not everything could be rolled back:\n  n1: the node did not come back" in caught.value.message
    assert "Run the same command again to repair what remains." in caught.value.hint


def test_never_reconnected_a_lock_is_given_back_after_a_wish_to_stop_at_the_end() -> None:
    node = FakeTransport("n1", healthy_until("nothing"))
    run = podman_run(node, upgrade=True)

    class StopLate(Lock):
        def close(self, run: NodesRun) -> None:
            run.stop.set()
            super().close(run)

    run_phases([StopLate()], run)
    assert node.words() == ["node.sh lock", "node.sh unlock"]


def test_never_reconnected_a_connection_that_ended_says_so_in_every_thread() -> None:
    """A thread that opened no channel before asked paramiko for the number of one, and fell over that."""
    ours, theirs = socket.socketpair()
    link = KeepaliveTransport(ours)
    theirs.close()
    caught: list[BaseException] = []

    def open_one() -> None:
        try:
            link.open_session(timeout=1)
        except BaseException as error:  # noqa: BLE001 - looked at below
            caught.append(error)

    thread = threading.Thread(target=open_one)
    thread.start()
    thread.join(30)
    ours.close()
    assert [type(error) for error in caught] == [paramiko.SSHException]
    assert "not active" in str(caught[0])


def test_never_reconnected_what_ended_the_connection_is_never_another_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """paramiko raises whatever its own thread died of."""
    ours, theirs = socket.socketpair()
    link = KeepaliveTransport(ours)

    def die(*_: object, **__: object) -> None:
        raise ValueError("a packet that cannot be")

    monkeypatch.setattr(paramiko.Transport, "open_channel", die)
    with pytest.raises(paramiko.SSHException, match="ValueError: a packet"):
        link.open_session(timeout=1)
    ours.close()
    theirs.close()
