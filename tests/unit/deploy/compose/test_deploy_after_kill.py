"""What a run does on a node on which another one was killed."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from oz_installer.deploy import process_identity as identity
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import NodeFacts, parse_facts
from oz_installer.deploy.compose.leftovers import leftovers_text, remove_leftovers
from oz_installer.deploy.compose.recipes import install
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event, Message
from oz_installer.deploy.process_identity import has_ended, process_identity
from oz_installer.deploy.record import record_of
from oz_installer.deploy.runner import run_phases
from oz_installer.deploy.settings import RunSettings
from oz_installer.errors import DeployError, LockedError
from oz_installer.remote.transport import CommandResult
from tests.unit.deploy.compose.deploy_support import (
    Answer,
    FakeTransport,
    bundle,
    container,
    details,
    installed,
    service,
    short,
)
from tests.unit.deploy.compose.test_deploy_lost_lock import NEW, ShellNode, healthy_until, podman_run

OLD = bundle(service("api", digest="old"), service("gone", digest="gone"))
GOOD = record_of(OLD, "000001")


def killed(**changes: object) -> NodeFacts:
    """A node on which a run was killed when it had switched and started one service."""
    facts = installed(
        NEW,
        generation="000002",
        record=record_of(NEW, "000002"),
        verified=OLD.digest,
        jobs={},
        containers={"api": container("api", "Up 5 seconds (health: starting)")},
        details=details(generations=("000001", "000002")),
    )
    return replace(facts, good="000001", **changes)  # type: ignore[arg-type]


def rerun(facts: NodeFacts, verb: str) -> tuple[NodesRun, FakeTransport, list[Event]]:
    """A run of the same answers on that node, whose command with this word fails."""
    events: list[Event] = []
    state = healthy_until(verb)

    def answer(argv: tuple[str, ...]) -> CommandResult | str | None:
        return GOOD.dumps() if argv[0] == "cat" else state(argv)

    node = FakeTransport("n1", answer)
    run = podman_run(node, upgrade=True, facts=facts, events=events)
    return run, node, events


def texts(events: list[Event]) -> list[str]:
    """What was logged."""
    return [event.text for event in events if isinstance(event, Message)]


@pytest.mark.parametrize("verb", ["podman pull", "compose run", "compose up", "node.sh mark_verified"])
def test_killed_then_failing_goes_back_to_what_was_verified_last(verb: str) -> None:
    facts = killed(details=details(generations=("000001", "000002"), images=frozenset()))
    if verb == "compose up":
        facts = replace(facts, jobs={job.name: job.digest for job in NEW.jobs})
    run, node, events = rerun(facts, verb)
    tried: list[str] = []
    answer = node.answer

    def once(argv: tuple[str, ...]) -> CommandResult | str | None:
        if verb in short(argv) and tried:
            return None
        if verb in short(argv):
            tried.append(verb)
        return answer(argv)

    node.answer = once
    with pytest.raises(DeployError) as caught:
        run_phases(install()[1:], run)
    assert "not everything could be rolled back" not in caught.value.message, caught.value
    back = next(sent.argv for sent in node.sent if short(sent.argv) == "node.sh switch_back")
    assert back[4:] == ("switch_back", "/opt/oz", run.id, "000002", "000001")
    after = node.words()[node.words().index("node.sh switch_back") :]
    ups = [word for word in after if word.startswith("compose up")]
    assert ups == ["compose up api gone"]
    removed = [word for word in after if word.startswith("podman rm")]
    assert removed == ["podman rm beat stray"]
    assert any(
        "rolled back: the generation 000001, which was verified last" in text for text in texts(events)
    )
    assert any(
        "had verified the generation 000002; a failure goes back to 000001" in t for t in texts(events)
    )


def test_killed_then_failing_says_when_there_is_nothing_to_go_back_to() -> None:
    facts = killed(details=details(generations=("000002",)))
    run, node, _ = rerun(replace(facts, good=""), "compose run")
    with pytest.raises(DeployError) as caught:
        run_phases(install()[1:], run)
    assert "node.sh switch_back" not in node.words()
    assert (
        "n1: this run repaired the current files, and no earlier ones were verified" in caught.value.message
    )


def test_killed_then_failing_the_verified_generation_is_remembered(shell: ShellNode, tmp_path: Path) -> None:
    folder = str(tmp_path / "oz")

    def facts() -> NodeFacts:
        return parse_facts("n1", shell.run(commands.read_facts(folder, "podman", "", ())).text)

    assert shell.run(commands.lock(folder, "r1", "me")).ok
    generations = tmp_path / "oz/generations"
    for name in ("000001", "000002"):
        (generations / name).mkdir(parents=True)
    (tmp_path / "oz/current").symlink_to("generations/000001")
    assert shell.run(commands.mark_verified(folder, "r1", "d1", "", "docker")).ok
    assert (facts().verified, facts().good) == ("d1", "000001")
    (tmp_path / "oz/current").unlink()
    (tmp_path / "oz/current").symlink_to("generations/000002")
    assert facts().good == "000001"
    assert shell.run(commands.unmark_verified(folder, "r1", "", "000001")).ok
    assert (facts().verified, facts().good) == ("", "000001")


# --- what is read before the lock is ours ----------------------------------------------------------------


@pytest.fixture
def shell(tmp_path: Path) -> ShellNode:
    """A node whose commands run on this machine, with an engine that answers nothing."""
    for name in ("podman", "docker"):
        engine = tmp_path / name
        engine.write_text(f'#!/bin/sh\n[ "$1" != events ] || cat {tmp_path}/events\n')
        engine.chmod(0o755)
    (tmp_path / "events").write_text("")
    return ShellNode("n1", tools=tmp_path)


def test_killed_in_rollback_a_node_that_was_changed_since_its_facts_were_read_is_not_locked(
    shell: ShellNode, tmp_path: Path
) -> None:
    folder = str(tmp_path / "oz")
    seen = ("", "")
    assert shell.run(commands.lock(folder, "r1", "one", seen=seen)).ok
    journal = parse_facts("n1", shell.run(commands.read_facts(folder, "podman", "", ())).text).journal
    assert int(journal) == (tmp_path / "oz/journal").stat().st_size
    (tmp_path / "oz/notes").touch()
    (tmp_path / "oz/generations").mkdir()
    assert shell.run(commands.under_lock(folder, "r1", "restart api", ("true",))).ok
    assert shell.run(commands.unlock(folder, "r1")).ok
    refused = shell.run(commands.lock(folder, "r2", "two", seen=("", journal)))
    assert refused.status == 6
    assert refused.stderr_text.endswith("restart api")
    assert not (tmp_path / "oz/lock").exists()
    now = str((tmp_path / "oz/journal").stat().st_size)
    assert shell.run(commands.lock(folder, "r2", "two", seen=("", now))).ok


def test_killed_in_rollback_a_run_that_dies_after_the_facts_were_read_is_not_taken_over() -> None:
    gone = process_identity().rsplit("/", 1)[0] + "/1"
    answer: Answer = lambda argv: CommandResult(  # noqa: E731
        argv=argv, status=5, stdout=f"run r0\nprocess {gone}\n".encode(), stderr=b"eve@there"
    )
    run, _, _ = rerun(killed(), "nothing")
    run.transports = {"n1": FakeTransport("n1", answer)}
    with pytest.raises(LockedError, match="has just died: eve@there") as caught:
        run_phases(install()[1:], run)
    assert "new plan" in caught.value.hint


@pytest.mark.parametrize(
    ("events", "quiet"),
    [
        ("kill oz-api 15\n", False),
        ("kill oz-api 15\ndie oz-api <no value>\n", True),
        ("kill nginx 1\n", True),
        ("kill oz-api 15\ndie oz-api \nkill oz-api 3\n", False),
        ("", True),
    ],
)
def test_killed_in_rollback_an_engine_that_still_stops_a_container_is_waited_for(
    shell: ShellNode, tmp_path: Path, events: str, quiet: bool
) -> None:
    (tmp_path / "events").write_text(events)
    done = threading.Event()

    def settle() -> None:
        assert shell.run(commands.wait_idle(str(tmp_path / "oz"), "docker")).ok
        done.set()

    thread = threading.Thread(target=settle, daemon=True)
    thread.start()
    if not quiet:
        assert not done.wait(1.0)
        (tmp_path / "events").write_text(events + "die oz-api \n")
    assert done.wait(30)


# --- whether a run has died ------------------------------------------------------------------------------


def test_rebooted_workstation_another_boot_of_this_machine_is_proof(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine, boot = tmp_path / "machine-id", tmp_path / "boot_id"
    monkeypatch.setattr(identity, "MACHINE_ID", machine)
    monkeypatch.setattr(identity, "BOOT_ID", boot)
    boot.write_text("boot-1\n")
    machine.write_text("a" * 32 + "\n")
    before = process_identity()
    assert not has_ended(before)
    boot.write_text("boot-2\n")
    assert has_ended(before)
    machine.write_text("b" * 32 + "\n")
    assert not has_ended(before)
    for unknown in ("", "uninitialized\n"):
        machine.write_text(unknown)
        boot.write_text("boot-1\n")
        nameless = process_identity()
        boot.write_text("boot-2\n")
        assert nameless
        assert not has_ended(nameless)


def test_rebooted_workstation_a_clone_with_the_same_machine_id_is_another_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine, boot = tmp_path / "machine-id", tmp_path / "boot_id"
    monkeypatch.setattr(identity, "MACHINE_ID", machine)
    monkeypatch.setattr(identity, "BOOT_ID", boot)
    machine.write_text("a" * 32 + "\n")
    boot.write_text("boot-1\n")
    before = process_identity()
    boot.write_text("boot-2\n")
    own = os.uname()
    other = os.uname_result((own.sysname, "another-name", own.release, own.version, own.machine))
    monkeypatch.setattr(os, "uname", lambda: other)
    assert not has_ended(before)


# --- what a dead run left --------------------------------------------------------------------------------


def test_old_answers_after_kill_what_is_left_is_found_and_removed(shell: ShellNode, tmp_path: Path) -> None:
    folder = tmp_path / "oz"
    gone = process_identity().rsplit("/", 1)[0] + "/1"
    assert shell.run(commands.lock(str(folder), "r0", "eve@there", process=gone)).ok
    (folder / "generations/000001").mkdir(parents=True)
    (folder / "current").symlink_to("generations/000001")
    (folder / "generations/000002.partial").mkdir()
    (folder / "generations/000002.partial/secret").write_text("hunter2")

    def facts() -> NodeFacts:
        return parse_facts("n1", shell.run(commands.read_facts(str(folder), "podman", "", ())).text)

    assert leftovers_text(facts()) == "the lock of eve@there and generations/000002.partial with its secrets"
    settings = RunSettings(install_dir=str(folder), engine="podman", owner="me@here")
    remove_leftovers(shell, facts(), settings)
    assert leftovers_text(facts()) == ""
    assert sorted(path.name for path in (folder / "generations").iterdir()) == ["000001"]
    assert not (folder / "lock").exists()


def test_old_answers_after_kill_nothing_is_removed_of_a_run_that_may_be_at_work(
    shell: ShellNode, tmp_path: Path
) -> None:
    folder = tmp_path / "oz"
    assert shell.run(commands.lock(str(folder), "r0", "eve@there", process=process_identity())).ok
    (folder / "generations/000002.partial").mkdir(parents=True)
    facts = parse_facts("n1", shell.run(commands.read_facts(str(folder), "podman", "", ())).text)
    assert leftovers_text(facts) == ""
    settings = RunSettings(install_dir=str(folder), engine="podman", owner="me@here")
    with pytest.raises(DeployError, match="eve@there"):
        remove_leftovers(shell, facts, settings)
    assert (folder / "generations/000002.partial").exists()
