"""What a job says is told line by line, and no part of a secret with it."""

from __future__ import annotations

import pytest

from oz_installer.deploy.compose import container_engine
from oz_installer.deploy.compose.jobs import JobOutput, job_error
from oz_installer.deploy.events import Event, NodeProgress
from oz_installer.errors import DeployError
from oz_installer.remote.transport import CommandResult
from tests.unit.deploy.compose.deploy_support import FakeTransport, failed, make_run, service

SPACED = " begins and ends with a space "
LONG = "long-secret" * 10


def told(*parts: bytes, end: bool = True) -> list[str]:
    events: list[Event] = []
    hearing = JobOutput(make_run(events=events, secrets=[SPACED]), "n1", "init")
    for part in parts:
        hearing(part)
    if end:
        hearing.end()
    return [event.text for event in events if isinstance(event, NodeProgress)]


def test_lines_are_told_as_they_end_and_the_last_one_too() -> None:
    assert told(b"one\ntw", b"o\n", end=False) == ["init: one", "init: two"]
    assert told(b"one\n\nlast") == ["init: one", "init: last"]
    assert told(b"one\n") == ["init: one"]


def test_a_secret_that_begins_and_ends_with_a_space_is_masked_before_the_line_is_trimmed() -> None:
    assert told(SPACED.encode(), b"\n") == ["init: ********"]
    assert told(SPACED.encode()) == ["init: ********"]
    result = CommandResult(argv=("x",), status=1, stdout=f"{SPACED}\n".encode(), stderr=SPACED.encode())
    error = job_error(make_run(secrets=[SPACED]), "n1", service("init", job=True), result)
    assert "begins" not in f"{error} {error.details}"
    assert str(error).endswith("failed: ********")


@pytest.mark.parametrize("secret", [SPACED, LONG])
def test_a_command_that_fails_shows_no_part_of_a_secret(secret: str) -> None:
    said = f"{'x' * 450}{secret}"
    for answer in (failed(1, said), failed(1, output=said)):
        run = make_run(transports={"n1": FakeTransport(answer=lambda _, it=answer: it)}, secrets=[secret])  # type: ignore[misc]
        with pytest.raises(DeployError) as caught:
            run.change("n1", "do it", ("x",))
        text = f"{caught.value} {caught.value.details}"
        assert "********" in text
        assert "begins" not in text
        assert "long" not in text


def test_the_reason_for_a_failed_pull_shows_no_part_of_a_secret() -> None:
    said = f"{LONG}{'x' * 250}"
    transport = FakeTransport(answer=lambda _: failed(1, said))
    run = make_run(transports={"n1": transport}, secrets=[LONG], engine="podman")
    with pytest.raises(DeployError) as caught:
        container_engine.pull(run, "n1", "example/a:1", "")
    assert "secret" not in str(caught.value)


def test_log_lines_show_no_part_of_a_secret() -> None:
    run = make_run(
        transports={"n1": FakeTransport(answer=lambda _: SPACED)}, secrets=[SPACED], engine="podman"
    )
    assert "begins" not in container_engine.diagnostics(run, "n1", "api")
