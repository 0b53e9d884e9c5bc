"""What runs on a node after a run was taken back: what ran before, and only that."""

from __future__ import annotations

import json

import pytest

from oz_installer.deploy.compose.restore import health_checks_of, restore_services
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import Event, Message
from oz_installer.errors import DeployError
from oz_installer.remote.docker_commands import detect_compose
from oz_installer.remote.transport import CommandResult
from tests.unit.deploy.compose.deploy_support import (
    FakeTransport,
    bundle,
    container,
    failed,
    installed,
    make_run,
    minding_once,
    service,
)

OLD = bundle(service("api", digest="older"), service("beat", digest="older"), service("gone", digest="older"))
NEW = bundle(service("api", health_command="new-check"), service("beat"))
UP = "Up 5 seconds (healthy)"


class Node:
    """Shows containers as it is told to (name: status, digest); writes down what is done to them."""

    def __init__(self, now: dict[str, tuple[str, str]], broken: str = "") -> None:
        self.now, self.broken = now, broken
        self.checks: dict[str, list[str]] = {}
        self.passing: set[str] = set()
        self.tried: list[tuple[str, ...]] = []
        self.transport = FakeTransport(answer=self._answer)

    def _answer(self, argv: tuple[str, ...]) -> CommandResult | str | None:
        if argv[:2] == ("podman", "ps"):
            return "".join(f"{name}\t{up}\t{digest}\ti\n" for name, (up, digest) in self.now.items())
        if argv[1:3] == ("container", "inspect") and "--format" not in argv:
            some = [
                {"Name": f"/{name}", "Config": {"Healthcheck": _test(self.checks[name])}} for name in argv[3:]
            ]
            return json.dumps(some)
        if argv[0] == "sh" and "until passes" in argv[2]:
            self.tried += zip(argv[6::2], argv[7::2], strict=True)
            return "".join(f"{name}\n" for name in argv[6::2] if name in self.passing)
        return failed(1, "no such image") if self.broken and self.broken in argv else None

    def done(self) -> list[str]:
        """What was changed, by the words that matter."""
        words = ("stop", "rm", "up")
        lines = [[word for word in sent.argv if word[0] != "/"] for sent in self.transport.sent]
        return [" ".join(line[-3:]) for line in lines if any(word in line for word in words)]


def _test(words: list[str]) -> dict[str, object] | None:
    return {"Test": words, "Interval": 1_000_000_000, "Retries": 3} if words else None


def restore(run: NodesRun) -> None:
    """Restore the services of its node as they were before the run."""
    restore_services(run, "n1", run.facts["n1"])


def over(node: Node, events: list[Event] | None = None, **before: str) -> NodesRun:
    """A run over a node on which the containers of OLD had these statuses."""
    there = {name: container(name, status, digest="older") for name, status in before.items()}
    run = make_run(
        NEW,
        transports={"n1": node.transport},
        facts={"n1": installed(OLD, containers=there)},
        engine="podman",
        events=events,
        health_timeout=1,
    )
    tool = detect_compose("podman", plugin="", v1="", podman_compose="podman-compose version 1.2.0")
    assert tool is not None
    run.compose["n1"] = tool
    run.undoing = True
    return run


def test_what_stood_still_and_was_only_started_is_stopped_again() -> None:
    node = Node({"api": (UP, "older"), "beat": (UP, "older")})
    restore(over(node, api=UP, beat="Exited (0) 2 days ago"))
    assert [sent.argv for sent in node.transport.sent if "stop" in sent.argv] == [
        ("podman", "stop", "--time", "30", "beat")
    ]
    assert len(node.done()) == 1


def test_what_stood_still_and_was_made_anew_is_made_as_before() -> None:
    node = Node({"api": (UP, "older"), "beat": (UP, "newer")})
    restore(over(node, api=UP, beat="Exited (0) 2 days ago"))
    sent = [sent.argv for sent in node.transport.sent if sent.argv[:2] != ("podman", "ps")]
    assert [argv[1] for argv in sent[:2]] == ["stop", "rm"]
    assert sent[2][-5:] == ("up", "--no-start", "--no-deps", "--no-build", "beat")
    assert len(sent) == 3


def test_where_it_cannot_be_made_as_before_it_is_removed_with_a_warning() -> None:
    events: list[Event] = []
    node = Node({"api": (UP, "older"), "beat": (UP, "newer")}, broken="--no-start")
    restore(over(node, events, api=UP, beat="Exited (0) 2 days ago"))
    assert any("rm" in sent.argv and "beat" in sent.argv for sent in node.transport.sent)
    told = [event for event in events if isinstance(event, Message)]
    assert [event.level for event in told] == ["warning"]
    assert "is removed" in told[0].text


def test_what_stood_still_and_was_left_alone_is_left_alone() -> None:
    node = Node({"api": (UP, "older"), "beat": ("Exited (0) 2 days ago", "older")})
    restore(over(node, api=UP, beat="Exited (0) 2 days ago"))
    assert node.done() == []


def test_what_its_engine_starts_again_and_again_is_not_stopped() -> None:
    node = Node({"api": (UP, "older"), "beat": (UP, "older")})
    restore(over(node, api=UP, beat="Restarting (1) 3 seconds ago"))
    assert node.done() == []


def test_what_its_engine_started_again_and_again_gets_its_previous_files_back() -> None:
    node = Node({"api": (UP, "older"), "beat": (UP, "newer")})
    restore(over(node, api=UP, beat="Restarting (1) 3 seconds ago"))
    (up,) = [sent.argv for sent in node.transport.sent if "up" in sent.argv]
    assert up[-1] == "beat"
    assert "--detach" in up
    assert len(node.done()) == 1


def test_a_port_that_a_connection_uses_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oz_installer.deploy.compose.ephemeral_ports.POLL_SECONDS", 0.0)
    node = Node({"api": (UP, "newer")})
    node.transport.answer = minding_once("up", node.transport.answer)
    restore(over(node, api=UP))
    assert len([sent for sent in node.transport.sent if "up" in sent.argv]) == 2


@pytest.mark.parametrize("name", ["api", "gone"])
def test_a_container_is_judged_by_its_own_check(name: str) -> None:
    """The new files have another one, or do not know it."""
    node = Node({"api": (UP, "older"), "gone": (UP, "older")} | {name: ("Up 1 second (starting)", "older")})
    node.checks = {name: ["CMD", "old check", "--now"]}
    node.passing = {name}
    restore(over(node, api=UP, gone=UP))
    assert node.tried == [(name, "'old check' --now")]


@pytest.mark.parametrize("status", ["Up 9 seconds (unhealthy)", "Exited (1) 1 second ago"])
def test_a_previous_service_that_does_not_come_back_is_told(status: str) -> None:
    node = Node({"api": (UP, "older"), "gone": (status, "older")})
    node.checks = {"gone": ["CMD-SHELL", "old check"]}
    with pytest.raises(DeployError, match=r"n1: gone \(of the previous files\)"):
        restore(over(node, api=UP, gone=UP))


def test_what_was_ill_before_is_not_waited_for() -> None:
    node = Node({"api": ("Up 5 minutes (unhealthy)", "older")})
    restore(over(node, api="Up 5 minutes (unhealthy)"))
    assert node.tried == []


@pytest.mark.parametrize("said", ["", "[", "{}", "[1]", '[{"Name": "a"}]', '[{"Name": "a", "Config": null}]'])
def test_an_engine_that_says_nonsense(said: str) -> None:
    assert health_checks_of(said) == {}


def test_own_checks_with_their_patience() -> None:
    second = 1_000_000_000
    long = {
        "Test": ["CMD-SHELL", "a || b"],
        "Interval": 60 * second,
        "Retries": 5,
        "StartPeriod": 30 * second,
    }
    some: list[dict[str, object]] = [
        {"Name": "/a", "Config": {"Healthcheck": long}},
        {"Name": "b", "Config": {"Healthcheck": {"Test": ["NONE"]}}},
        {"Name": "c", "Config": {"Healthcheck": None}},
        {"Name": "d", "Config": {}},
    ]
    expected = {"a": ("a || b", 330), "b": ("", 60), "c": ("", 60), "d": ("", 60)}
    assert health_checks_of(json.dumps(some)) == expected
