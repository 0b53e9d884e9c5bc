"""Work on several nodes at once, phases in order, and all of it taken back when something fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from oz_installer.deploy.compose.preparation import Preparation
from oz_installer.deploy.compose.recipes import prepare
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.errors import hint_for
from oz_installer.deploy.events import Event, Message, PhaseEnded, PhaseStarted, RunEnded, RunStarted
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.runner import run_phases, run_read_only
from oz_installer.errors import ConnectError, DeployError, Interrupted, LockedError, OzError, PreflightError
from oz_installer.remote.parallel import start_all, wait_all
from oz_installer.remote.transport import Transport
from oz_installer.secret import Masker
from tests.plans import file_change, target_plan
from tests.unit.deploy.compose.deploy_support import FakeTransport, bundle, failed, make_run

NODES = ("n1", "n2", "n3")


def several(**options: object) -> NodesRun:
    """A run over three nodes, each of which changes."""
    files = (file_change("a", "new"),)
    plans = [target_plan(name, *files) for name in NODES]
    return make_run(*(bundle(node=name) for name in NODES), plans=plans, **options)  # type: ignore[arg-type]


def test_a_lock_that_was_taken_over_is_told_as_such() -> None:
    lost = FakeTransport(answer=lambda argv: failed(5, "this run no longer holds the lock"))
    run = make_run(bundle(), transports={"n1": lost})
    with pytest.raises(LockedError, match="another run has taken over the node"):
        run.change("n1", "switch to the new files", ("sh",))
    refused = make_run(bundle(), transports={"n1": FakeTransport(answer=lambda argv: failed(5, "no"))})
    with pytest.raises(DeployError, match="cannot switch"):
        refused.change("n1", "switch to the new files", ("sh",))


# --- run.each ------------------------------------------------------------------------------------------


def test_each_does_all_nodes_at_once_and_keeps_their_order() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def work(node: str) -> str:
        meeting.wait()
        time.sleep(0.02 if node == "n1" else 0)
        return node.upper()

    assert list(several().each(NODES, work).items()) == [("n1", "N1"), ("n2", "N2"), ("n3", "N3")]
    assert several().each((), work) == {}


def test_all_failures_are_told_together_with_their_details() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def work(node: str) -> None:
        meeting.wait()
        if node != "n2":
            raise DeployError("disk full", f"hint {node}", node=node, details=f"log of {node}")

    with pytest.raises(DeployError) as caught:
        several().each(NODES, work)
    assert str(caught.value) == "n1: disk full\nn3: disk full"
    assert caught.value.details == "log of n1\nlog of n3"
    assert caught.value.hint == "hint n1"


def test_the_others_are_told_to_stop_and_waited_for() -> None:
    run, ended = several(), []

    def work(node: str) -> None:
        if node == "n1":
            raise DeployError("broken", node=node)
        assert run.cancelled.wait(10)
        time.sleep(0.05)
        ended.append(node)
        run.check_cancelled()

    with pytest.raises(DeployError, match=r"^n1: broken$"):  # the others' stopping is no failure of theirs
        run.each(NODES, work)
    assert sorted(ended) == ["n2", "n3"]


def test_what_is_our_own_fault_is_not_hidden() -> None:
    def work(node: str) -> None:
        raise KeyError("ours") if node == "n3" else DeployError("theirs", node=node)

    with pytest.raises(KeyError):
        several().each(NODES, work)


def test_what_is_done_together_ends_together() -> None:
    go = threading.Event()

    def work(node: str) -> str:
        assert go.wait(10)
        return node.upper()

    futures = start_all(NODES, work)
    assert not any(future.done() for future in futures.values())
    threading.Timer(0.3, go.set).start()
    assert [future.result(timeout=0) for future in wait_all(futures).values()] == ["N1", "N2", "N3"]
    assert wait_all({}) == {}


def test_a_request_to_stop_ends_the_work_as_interrupted() -> None:
    events: list[Event] = []
    run = several(events=events)

    def work(node: str) -> None:
        run.stop.set()
        assert run.cancelled.wait(10)
        run.check_cancelled()

    with pytest.raises(Interrupted) as caught:
        run.each(NODES, work)
    assert caught.value.exit_code == 130


def test_what_had_not_begun_when_the_stop_came_is_cut_short_too() -> None:
    run = several()
    cut, tries = threading.Event(), []

    def work(node: str) -> None:
        run.stop.set()
        assert cut.wait(10)

    def abort(node: str) -> None:
        tries.append(node)
        if len(tries) > 1:
            cut.set()

    with pytest.raises(Interrupted):
        run.each(("n1",), work, abort=abort)
    assert len(tries) > 1


def test_a_command_that_fails_says_what_the_node_said_and_what_to_do() -> None:
    said = "tar: config: Cannot write: No space left on device\ntar: Exiting\n"
    run = make_run(transports={"n1": FakeTransport(answer=lambda _: failed(2, said))})
    with pytest.raises(DeployError) as caught:
        run.change("n1", "write the files", ("x",))
    assert str(caught.value).startswith(
        "n1: cannot write the files: tar: config: Cannot write: No space left"
    )
    assert "Free some space" in caught.value.hint
    assert caught.value.details == "", "the message says it all"


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            "Bind for 0.0.0.0:80 failed: port is already allocated",
            "Stop the other container on the node that publishes this port",
        ),
        (
            "listen tcp4 0.0.0.0:80: bind: address already in use",
            "Stop the other program on the node that listens on this port",
        ),
        ("mkdir: cannot create directory '/opt/oz': Permission denied", "become: sudo"),
        ("mkdir: cannot create directory: Read-only file system", "Mount the folder writable"),
        ("whatever", "Fix the reported problem on the node, then run oz-install again to resume."),
    ],
)
def test_hints(said: str, hint: str) -> None:
    assert hint in hint_for(said)


# --- phases --------------------------------------------------------------------------------------------


Deed = Callable[[NodesRun], None]


def nothing(run: NodesRun) -> None:
    """Do nothing."""


class Step(Phase[NodesRun]):
    """Writes down what happens to it."""

    def __init__(
        self,
        title: str,
        log: list[str],
        *,
        wanted: bool = True,
        read_only: bool = False,
        on_run: Deed = nothing,
        on_undo: Deed = nothing,
        on_close: Deed = nothing,
    ) -> None:
        self.title, self.log, self.wanted, self.read_only = title, log, wanted, read_only
        self.on_run, self.on_undo, self.on_close = on_run, on_undo, on_close

    def should_run(self, run: NodesRun) -> bool:
        """As told."""
        return self.wanted

    def run(self, run: NodesRun) -> None:
        """Write down, then do as told."""
        self.log.append(f"run {self.title}")
        self.on_run(run)

    def undo(self, run: NodesRun) -> None:
        """Write down, then do as told."""
        self.log.append(f"undo {self.title}")
        self.on_undo(run)

    def close(self, run: NodesRun) -> None:
        """Write down, then do as told."""
        self.log.append(f"close {self.title}")
        self.on_close(run)


def fails(error: BaseException) -> Deed:
    """Raises it."""

    def do(run: NodesRun) -> None:
        raise error

    return do


def kinds(events: list[Event]) -> list[str]:
    """The events in a short form."""
    found = []
    for event in events:
        name = type(event).__name__
        if isinstance(event, PhaseStarted):
            found.append(f"{name} {event.phase} {event.number}/{event.of}")
        elif isinstance(event, PhaseEnded):
            found.append(f"{name} {event.phase} {event.outcome}")
        elif isinstance(event, RunEnded):
            found.append(f"{name} {event.outcome}")
        elif isinstance(event, RunStarted):
            found.append(f"{name} {'+'.join(event.phases)} on {'+'.join(event.nodes)}")
    return found


def test_phases_run_in_order_and_are_told_of() -> None:
    log: list[str] = []
    events: list[Event] = []
    run_phases([Step("a", log), Step("no", log, wanted=False), Step("b", log)], several(events=events))
    assert log == ["run a", "run b", "close b", "close a"]
    assert kinds(events) == [
        "RunStarted a+b on n1+n2+n3",
        "PhaseStarted a 1/2",
        "PhaseEnded a done",
        "PhaseStarted b 2/2",
        "PhaseEnded b done",
        "RunEnded done",
    ]


def test_a_failure_is_taken_back_in_reverse_order_and_everything_closed() -> None:
    log: list[str] = []
    events: list[Event] = []
    phases = [
        Step("a", log),
        Step("b", log),
        Step("c", log, on_run=fails(DeployError("broken", "mend it", node="n2"))),
        Step("d", log),
    ]
    with pytest.raises(DeployError, match="n2: broken") as caught:
        run_phases(phases, several(events=events))
    assert caught.value.exit_code == 4
    assert log[3:] == ["undo c", "undo b", "undo a", "close c", "close b", "close a"]
    assert kinds(events)[-5:] == [
        "PhaseEnded c failed",
        "PhaseEnded c undone",
        "PhaseEnded b undone",
        "PhaseEnded a undone",
        "RunEnded failed",
    ]


@pytest.mark.parametrize("error", [DeployError("cannot", node="n1"), ConnectError("gone"), KeyError("ours")])
def test_an_error_while_taking_back_is_told_and_the_others_go_on(error: Exception) -> None:
    log: list[str] = []
    events: list[Event] = []
    phases = [
        Step("a", log),
        Step("b", log, on_undo=fails(error), on_close=fails(error)),
        Step("c", log, on_run=fails(DeployError("broken", "mend it"))),
    ]
    with pytest.raises(DeployError) as caught:
        run_phases(phases, several(events=events))
    assert log[3:] == ["undo c", "undo b", "undo a", "close c", "close b", "close a"]
    said = [event.text for event in events if isinstance(event, Message)]
    assert any("could not roll back «b»" in text for text in said)
    assert str(caught.value).startswith("broken\nnot everything could be rolled back:\n  «b»")
    assert "mend it" in caught.value.hint


def test_a_request_to_stop_is_taken_back_too() -> None:
    log: list[str] = []
    events: list[Event] = []
    run = several(events=events)
    phases = [Step("a", log, on_run=lambda run: run.stop.set()), Step("b", log)]
    with pytest.raises(Interrupted) as caught:
        run_phases(phases, run)
    assert log == ["run a", "undo a", "close a"]
    assert "the changes of this run were rolled back" in str(caught.value)
    assert [event.text for event in events if isinstance(event, Message)] == [
        "rolling back the changes of this run"
    ]
    assert kinds(events)[-1] == "RunEnded interrupted"
    assert caught.value.exit_code == 130


def test_undoing_works_although_a_stop_was_asked_for() -> None:
    log: list[str] = []

    def undo(run: NodesRun) -> None:
        run.each(NODES, lambda node: run.check_cancelled())
        log.append("undone for real")

    def stop(run: NodesRun) -> None:
        run.stop.set()
        run.cancelled.set()
        run.check_cancelled()

    with pytest.raises(Interrupted):
        run_phases([Step("a", log, on_run=stop, on_undo=undo)], several())
    assert log == ["run a", "undo a", "undone for real", "close a"]


def test_a_second_ctrl_c_leaves_at_once_and_says_what_remains() -> None:
    log: list[str] = []
    events: list[Event] = []
    with pytest.raises(Interrupted) as caught:
        run_phases([Step("a", log, on_run=fails(KeyboardInterrupt()))], several(events=events))
    assert log == ["run a"]
    assert "remain on n1, n2, n3" in str(caught.value)
    assert kinds(events)[-1] == "RunEnded interrupted"


@pytest.mark.parametrize(
    ("read_only", "error", "code"),
    [
        (True, PreflightError("too old"), 3),
        (False, ConnectError("gone"), 4),
        (False, OzError("odd"), 4),
        (False, DeployError("broken"), 4),
    ],
)
def test_once_something_was_changed_a_failure_is_one_of_the_deployment(
    read_only: bool, error: OzError, code: int
) -> None:
    phase = Step("a", [], read_only=read_only, on_run=fails(error))
    with pytest.raises(OzError) as caught:
        run_phases([phase], several())
    assert caught.value.exit_code == code
    assert error.message in str(caught.value)


def test_a_phase_without_an_undo_is_not_told_as_undone() -> None:
    class Plain(Phase[NodesRun]):
        title = "plain"

        def run(self, run: NodesRun) -> None:
            raise DeployError("broken")

    events: list[Event] = []
    with pytest.raises(DeployError):
        run_phases([Plain()], several(events=events))
    assert "PhaseEnded plain undone" not in kinds(events)


def test_events_are_plain_data_for_json() -> None:
    event = PhaseEnded(phase="a", seconds=1.5, outcome="done", at=7.0)
    expected = {"event": "PhaseEnded", "at": 7.0, "phase": "a", "seconds": 1.5, "outcome": "done"}
    assert event.as_json() == expected


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
