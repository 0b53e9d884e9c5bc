"""What the phases do to a node, step by step, and what a dry run does: nothing."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import replace

import pytest

from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.phases.lock import Lock
from oz_installer.deploy.compose.phases.pull import PullImages
from oz_installer.deploy.compose.phases.remove import RemoveServices
from oz_installer.deploy.compose.phases.stage import Stage
from oz_installer.deploy.compose.phases.start import Start
from oz_installer.deploy.compose.phases.switch import Switch
from oz_installer.deploy.compose.phases.verify import Verify
from oz_installer.deploy.compose.planner import plan_node
from oz_installer.deploy.compose.recipes import install
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event, Message, PhaseEnded, ServiceState
from oz_installer.deploy.gate import DryGate, DryRunChange, Gate
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.record import parse_record, record_of
from oz_installer.deploy.runner import run_phases
from oz_installer.errors import DeployError, LockedError
from oz_installer.remote.docker_commands import detect_compose
from oz_installer.remote.transport import CommandResult
from oz_installer.render.compose.bundle import Bundle
from tests.unit.deploy.compose.deploy_support import (
    Answer,
    FakeTransport,
    bundle,
    container,
    details,
    failed,
    fresh,
    installed,
    minding_once,
)
from tests.unit.deploy.compose.deploy_support import make_run as plain_run
from tests.unit.deploy.compose.deploy_support import service as plain_service

NEW = bundle(
    plain_service("init", job=True),
    plain_service("api"),
    plain_service("beat", health_command=""),
    config_api="new\n",
    secret_api="hidden\n",
)
OLD = bundle(
    plain_service("init", job=True, digest="older"),
    plain_service("api", digest="older"),
    config_api="old\n",
    secret_api="hidden\n",
)


def make_run(
    facts: NodeFacts,
    answer: Answer = lambda argv: None,
    *,
    wanted: Bundle = NEW,
    gate: Gate | None = None,
    events: list[Event] | None = None,
) -> tuple[NodesRun, FakeTransport]:
    """A run over one Podman node, whose engine is asked by commands only."""
    transport = FakeTransport("n1", answer)
    run = plain_run(
        wanted,
        transports={"n1": transport},
        facts={"n1": facts},
        plans=[plan_node(wanted, facts)],
        gate=gate,
        events=events,
        engine="podman",
        secrets=["hunter2"],
    )
    run.id = "r1"
    tool = detect_compose("podman", plugin="", v1="", podman_compose="podman-compose version 1.2.0")
    assert tool is not None
    run.compose["n1"] = tool
    run.masked_files = lambda node: {"secret/api": b"******\n"}
    run.fingerprints = lambda node: {"redis.password": "print"}
    return run, transport


def undone(phases: Sequence[Phase[NodesRun]], run: NodesRun) -> DeployError:
    """Run the phases and a last one that fails; what the operator gets."""

    class Fails(Phase[NodesRun]):
        title = "fails"

        def run(self, run: NodesRun) -> None:
            raise DeployError("on purpose")

    with pytest.raises(DeployError) as caught:
        run_phases([*phases, Fails()], run)
    return caught.value


# --- lock ----------------------------------------------------------------------------------------------


def test_lock_and_unlock() -> None:
    run, node = make_run(fresh())
    run_phases([Lock()], run)
    assert node.words() == ["node.sh lock", "node.sh unlock"]


def test_a_lock_that_another_run_holds() -> None:
    answer: Answer = lambda argv: failed(5, "alice@ws (process 7)", "run r0\nprocess \n")  # noqa: E731
    run, node = make_run(fresh(), answer)
    with pytest.raises(LockedError, match=r"n1: another run .*alice@ws \(process 7\)") as caught:
        run_phases([Lock()], run)
    assert caught.value.exit_code == 5
    assert "unlock" not in " ".join(node.words())


def test_a_lock_that_cannot_be_taken_is_told_with_its_reason() -> None:
    run, _ = make_run(fresh(), lambda argv: failed(1, "mkdir: /opt/oz: Read-only file system"))
    with pytest.raises(DeployError, match="cannot create the install folder /opt/oz: mkdir") as caught:
        run_phases([Lock()], run)
    assert "Mount the folder writable" in caught.value.hint


# --- stage ---------------------------------------------------------------------------------------------


def staged(stdin: bytes | None) -> dict[str, bytes]:
    """The files of a tar."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(stdin or b"")) as tar:
        for member in tar:
            if stream := tar.extractfile(member):
                found[member.name] = stream.read()
    return found


def test_only_what_differs_is_sent_with_manifest_record_and_masked_twins() -> None:
    run, node = make_run(installed(OLD))
    run_phases([Stage()], run)
    (sent,) = node.sent
    files = staged(sent.stdin)
    assert files.keys() == {"config/api", "manifest", "record.json", "shown/secret/api"}
    assert (files["config/api"], files["shown/secret/api"]) == (b"new\n", b"******\n")
    assert files["manifest"].decode().count("\n") == len(NEW.files)
    record = parse_record(files["record.json"].decode())
    assert record is not None
    assert (record.generation, record.digest) == ("000002", NEW.digest)
    assert record.secrets == {"redis.password": "print"}
    assert sent.argv[4:9] == ("stage", "/opt/oz", "r1", "000002", "podman-compose")
    assert sent.argv[9:] == ("--folder", "data/media")


def test_a_file_that_goes_is_named() -> None:
    facts = installed(NEW, files={**{f.path: f.digest for f in NEW.files}, "config/-old": "x"})
    run, node = make_run(facts)
    run_phases([Stage()], run)
    assert node.sent[0].argv[9:11] == ("--remove", "config/-old")


def test_the_number_follows_every_generation_there_is() -> None:
    facts = replace(installed(OLD), details=details(generations=("000001", "000009", "000012.partial")))
    run, _ = make_run(facts)
    run_phases([Stage()], run)
    assert run.generations == {"n1": "000013"}


def test_undoing_a_stage() -> None:
    run, node = make_run(fresh())
    undone([Stage()], run)
    assert node.sent[-1].argv[4:] == ("unstage", "/opt/oz", "r1", "000001")


def test_a_stage_that_fails_is_taken_back() -> None:
    answer: Answer = lambda argv: failed(2, "No space left on device") if "stage" in argv else None  # noqa: E731
    run, node = make_run(fresh(), answer)
    with pytest.raises(DeployError, match="cannot write the files below /opt/oz") as caught:
        run_phases([Stage()], run)
    assert "Free some space" in caught.value.hint
    assert node.words()[-1] == "node.sh unstage"


# --- switch --------------------------------------------------------------------------------------------

PS = "podman ps label=com.docker.compose.project=oz"


def podman(*containers: str) -> Answer:
    """A node whose Podman lists these containers."""

    def answer(argv: tuple[str, ...]) -> str | None:
        listing = argv[:2] == ("podman", "ps")
        return "".join(f"{name}\tUp 5 seconds\td\ti\n" for name in containers) if listing else None

    return answer


def after_switch(node: FakeTransport) -> list[str]:
    words = [word for word in node.words() if not word.startswith("podman ps")]
    return words[words.index("node.sh switch") + 1 :]


def test_back_on_a_fresh_node_leaves_nothing() -> None:
    run, node = make_run(fresh(), podman("api", "beat"))
    undone([Stage(), Switch()], run)
    assert after_switch(node)[-3:] == ["compose down", "node.sh switch_back", "node.sh unstage"]
    down = next(sent.argv for sent in node.sent if "down" in sent.argv)
    assert "--volumes" in down


@pytest.mark.parametrize("failures", [1, 2])
def test_a_container_that_leaves_meanwhile_does_not_stop_the_removal(failures: int) -> None:
    listing, left = podman("api"), [failed(errors="No such container: 7b51")] * failures

    def answer(argv: tuple[str, ...]) -> str | CommandResult | None:
        return left.pop() if "down" in argv and left else listing(argv)

    events: list[Event] = []
    run, node = make_run(fresh(), answer, events=events)
    undone([Stage(), Switch()], run)
    assert sum("down" in sent.argv for sent in node.sent) == 2
    troubles = [event.text for event in events if isinstance(event, Message) and event.level == "error"]
    assert bool(troubles) is (failures == 2)
    assert all("No such container" in text for text in troubles)


def test_back_on_a_fresh_node_keeps_volumes_that_were_there() -> None:
    run, node = make_run(fresh(details=details(volumes=frozenset({"oz_api-pg"}))), podman("api"))
    undone([Stage(), Switch()], run)
    assert not any("--volumes" in sent.argv for sent in node.sent if "down" in sent.argv)


def test_back_to_a_previous_generation_runs_it_again_and_removes_what_is_new() -> None:
    run, node = make_run(installed(OLD), podman("api", "beat", "oz-init-run-1"))
    undone([Stage(), Switch()], run)
    words = [word for word in after_switch(node) if word != "checks"]
    assert words == [
        "node.sh switch_back",
        "podman rm beat oz-init-run-1",
        "compose up api",
        "node.sh unstage",
    ]
    back = next(sent.argv for sent in node.sent if "switch_back" in sent.argv)
    assert back[4:] == ("switch_back", "/opt/oz", "r1", "000002", "000001")


@pytest.mark.parametrize(
    ("digest", "health", "touched"), [("older", "healthy", False), ("newer", "health: starting", True)]
)
def test_back_leaves_what_this_run_has_not_touched(digest: str, health: str, touched: bool) -> None:
    def answer(argv: tuple[str, ...]) -> str | None:
        if argv[:2] == ("podman", "ps"):
            return f"api\tUp 5 seconds ({health})\t{digest}\ti\n"
        if argv[1:3] == ("container", "inspect"):
            return '[{"Name": "api", "Config": {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}}]'
        return "api\n" if "until passes" in argv[2] else None

    run, node = make_run(installed(OLD), answer)
    undone([Stage(), Switch()], run)
    assert ("compose up api" in after_switch(node)) == touched
    assert ("checks" in after_switch(node)) == touched


def test_back_names_the_services_or_starts_none() -> None:
    """Compose takes no names for all."""
    run, node = make_run(installed(OLD, containers={}), podman())
    undone([Stage(), Switch()], run)
    assert after_switch(node) == ["node.sh switch_back", "node.sh unstage"]


def test_a_switch_that_failed_is_taken_back_without_asking_compose_for_what_is_not_there() -> None:
    answer: Answer = lambda argv: failed(1, "mv: No space left on device") if "switch" in argv else None  # noqa: E731
    run, node = make_run(fresh(), answer)
    with pytest.raises(DeployError, match="cannot switch to the new files"):
        run_phases([Stage(), Switch()], run)
    assert after_switch(node) == ["compose down", "node.sh switch_back", "node.sh unstage"]
    down = next(sent.argv for sent in node.sent if "down" in sent.argv)
    assert down[2:4] == ('[ ! -e "$0" ] || exec "$@"', "/opt/oz/current/compose.yaml")


# --- pull, remove, start -------------------------------------------------------------------------------


def test_an_image_that_cannot_be_had_is_named_with_a_hint() -> None:
    run, node = make_run(fresh(), lambda argv: failed(125, "Error: manifest unknown"))
    with pytest.raises(
        DeployError, match=r"cannot pull the image example/init:1: .*manifest unknown"
    ) as caught:
        run_phases([PullImages()], run)
    assert "answers: images" in caught.value.hint
    assert node.words() == ["podman pull example/init:1"]


def test_unwanted_containers_are_removed() -> None:
    events: list[Event] = []
    there = {name: container(name) for name in ("api", "beat", "old-b", "old-a")}
    run, node = make_run(installed(NEW, containers=there), events=events)
    run_phases([RemoveServices()], run)
    assert node.words() == ["podman rm old-a old-b"]
    assert [event.service for event in events if isinstance(event, ServiceState)] == ["old-a", "old-b"]


def healthy(argv: tuple[str, ...]) -> str | None:
    """Every check passes, every container runs."""
    if argv[:2] == ("podman", "ps"):
        return "api\tUp 5 seconds (healthy)\td\ti\nbeat\tUp 5 seconds\td\ti\n"
    return "api\nbeat\n" if "until passes" in argv[2] else None


def test_jobs_run_before_services_and_are_remembered() -> None:
    events: list[Event] = []
    run, node = make_run(fresh(), healthy, events=events)
    run_phases([Start("app")], run)
    words = [word for word in node.words() if not word.startswith(("podman ps", "checks"))]
    assert words == ["compose run init", "node.sh mark_job_done", "compose up api beat"]
    told = [f"{event.service} {event.state}" for event in events if isinstance(event, ServiceState)]
    assert told[:2] == ["init starting", "init finished"]
    assert set(told[2:]) == {"api starting", "beat starting", "api healthy", "beat running"}
    assert "--no-deps" in next(sent.argv for sent in node.sent if "up" in sent.argv)


def test_only_services_that_change_are_started() -> None:
    facts = installed(NEW, containers={"api": container("api"), "beat": container("beat", "Exited (1) ago")})
    run, node = make_run(facts, healthy)
    run_phases([Start("app")], run)
    assert "compose up beat" in node.words()


def test_an_unhealthy_service_is_restarted_not_recreated() -> None:
    unhealthy = {"api": container("api", "Up 5 minutes (unhealthy)"), "beat": container("beat", "Up 1 hour")}
    run, node = make_run(installed(NEW, containers=unhealthy), healthy)
    run_phases([Start("app")], run)
    words = node.words()
    assert any(word.startswith("podman restart") and word.endswith("api") for word in words)
    assert not any(word.startswith("compose up") for word in words)


@pytest.mark.parametrize(
    ("verb", "before"), [("up", "Exited (1) ago"), ("restart", "Up 5 minutes (unhealthy)")]
)
def test_a_port_that_a_connection_uses_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, verb: str, before: str
) -> None:
    monkeypatch.setattr("oz_installer.deploy.compose.ephemeral_ports.POLL_SECONDS", 0.0)
    there = {"api": container("api", before), "beat": container("beat", "Up 1 hour")}
    run, node = make_run(installed(NEW, containers=there), minding_once(verb, healthy))
    run_phases([Start("app")], run)
    assert len([sent for sent in node.sent if verb in sent.argv]) == 2


def test_other_stages_have_nothing_to_do() -> None:
    run, node = make_run(fresh(), healthy)
    run_phases([Start("foundation"), Start("bio"), Start("edge")], run)
    assert node.sent == []


def test_a_job_that_fails_shows_what_it_said_without_secrets() -> None:
    answer: Answer = lambda argv: failed(1, "no login with hunter2", "one\ntwo\n") if "run" in argv else None  # noqa: E731
    run, _ = make_run(fresh(), answer)
    run.generations["n1"] = "000001"
    with pytest.raises(DeployError) as caught:
        run_phases([Start("app")], run)
    assert str(caught.value) == "n1: init (init) failed: no login with ********"
    assert caught.value.details == "one\ntwo\nno login with ********"


@pytest.mark.parametrize(("before", "step"), [({}, "unmark_job"), ({"init": "older"}, "mark_job_done")])
def test_a_job_that_was_done_is_forgotten_again_or_done_as_before(before: dict[str, str], step: str) -> None:
    run, node = make_run(fresh(jobs=before), healthy)
    undone([Start("app")], run)
    assert node.words()[-1] == f"node.sh {step}"
    assert node.sent[-1].argv[6:] == (("r1", "init", "older", "podman") if before else ("r1", "init"))


@pytest.mark.parametrize("before", ["", "older"])
def test_what_was_seen_to_work_is_remembered_and_taken_back(before: str) -> None:
    run, node = make_run(installed(OLD, verified=before, good="000001" if before else ""))
    undone([Verify()], run)
    remembered, taken_back = (sent.argv[4:] for sent in node.sent if "mark_verified" in sent.argv[4])
    assert remembered == ("mark_verified", "/opt/oz", "r1", NEW.digest, "5", "000001", "podman")
    assert taken_back == ("unmark_verified", "/opt/oz", "r1", before, "000001" if before else "")


# --- the gate ------------------------------------------------------------------------------------------


def test_a_dry_run_goes_through_every_phase_and_sends_nothing() -> None:
    told: list[DryRunChange] = []
    events: list[Event] = []
    there = {"api": container("api"), "old": container("old")}
    run, node = make_run(
        fresh(
            containers=there,
            record=record_of(bundle(), "000001"),
            details=details(podman_compose="podman-compose 1.2.0", engine_version="5.4.2"),
        ),
        gate=DryGate(told.append),
        events=events,
    )
    phases = [phase for phase in install() if phase.title != "Verify from outside"]
    run_phases(phases, run)
    assert node.sent == []
    hidden = [change.what for change in told if change.housekeeping]
    assert hidden == ["lock the node", "mark init as done", "unlock the node"]
    whats = [change.what for change in told]
    assert whats == [
        "lock the node",
        "write the files below /opt/oz",
        "pull example/init:1",
        "pull example/beat:1",
        "switch to the new files",
        "remove old",
        "run init",
        "mark init as done",
        "start beat",
        "unlock the node",
    ]
    assert {change.node for change in told} == {"n1"}
    assert "hidden" not in repr(told)
    outcomes = [event.outcome for event in events if isinstance(event, PhaseEnded)]
    assert set(outcomes) == {"done"}


def test_nothing_to_do_means_no_phase_at_all() -> None:
    events: list[Event] = []
    run, node = make_run(installed(NEW), events=events)
    run_phases(install(), run)
    assert node.sent == []
    assert not any(isinstance(event, PhaseEnded) for event in events)
