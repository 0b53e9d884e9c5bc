"""What is under way is cut short when another node fails or the operator asks to stop."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from oz_installer.deploy.events import Event, Message
from oz_installer.errors import DeployError, Interrupted
from tests.unit.deploy.compose.deploy_support import make_run


def test_an_abort_that_fails_is_said_once_and_tried_every_second_only() -> None:
    events: list[Event] = []
    run = make_run(events=events)
    over, tries = threading.Event(), []

    def work(node: str) -> None:
        run.stop.set()
        assert over.wait(10)

    def abort(node: str) -> None:
        tries.append(time.monotonic())
        if len(tries) == 3:
            over.set()
        raise DeployError("no such engine", node=node)

    with pytest.raises(Interrupted):
        run.each(("n1",), work, abort=abort)
    pauses = [after - before for before, after in itertools.pairwise(tries)]
    assert len(pauses) == 2
    assert min(pauses) >= 0.99
    warnings = [event for event in events if isinstance(event, Message) and event.level == "warning"]
    assert [(event.node, event.text) for event in warnings] == [
        ("n1", "the work in progress could not be aborted: no such engine")
    ]


def test_an_abort_under_way_is_waited_for() -> None:
    run, ended = make_run(), []
    begun = threading.Event()

    def work(node: str) -> None:
        run.stop.set()
        assert begun.wait(10)

    def abort(node: str) -> None:
        begun.set()
        time.sleep(0.5)
        ended.append(node)

    with pytest.raises(Interrupted):
        run.each(("n1",), work, abort=abort)
    assert ended == ["n1"]
