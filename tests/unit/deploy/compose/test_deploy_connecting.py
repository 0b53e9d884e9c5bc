"""Connecting to nodes that do not answer: each is told, and no phase calls itself done."""

from __future__ import annotations

from oz_installer.deploy.compose.preparation import Preparation
from oz_installer.deploy.compose.recipes import prepare
from oz_installer.deploy.events import Event, PhaseEnded
from oz_installer.deploy.runner import run_read_only
from oz_installer.errors import ConnectError
from oz_installer.remote.transport import Transport
from oz_installer.secret import Masker


def test_a_phase_that_lost_a_node_has_failed() -> None:
    events: list[Event] = []

    def refuse(name: str) -> Transport:
        raise ConnectError("does not answer", "Start it.", node=name)

    run = Preparation(
        nodes=("n1", "n2"),
        open_node=refuse,
        render=dict,
        install_dir="/opt/oz",
        engine="docker",
        masker=Masker(),
        emit=events.append,
    )
    run_read_only(prepare(), run)
    assert list(run.failures) == ["n1", "n2"]
    ended = {event.phase: event.outcome for event in events if isinstance(event, PhaseEnded)}
    assert ended["Connect to the nodes"] == "failed"
