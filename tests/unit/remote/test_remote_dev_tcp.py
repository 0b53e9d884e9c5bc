"""bash's /dev/tcp: argv, a command for scripts, and how the outcome reads."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest

from oz_installer.remote.ssh.dev_tcp import LATE_PATTERN, connect_argv, connect_command, connect_error


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (0, "noise", ""),
        (124, "", "no answer within 5 s"),
        (143, "Terminated", "no answer within 5 s"),
        (
            1,
            "mq: connect: Connection refused\nmq: line 1: /dev/tcp/mq/1: Connection refused",
            "Connection refused",
        ),
        (
            1,
            "mq: line 1: mq: Name or service not known\nmq: line 1: /dev/tcp/mq/1: Invalid argument",
            "Name or service not known",
        ),
        (1, "mq: connect: No \x1b[31mroute\nmore", "No route"),
        (127, "", "exit status 127"),
    ],
)
def test_why(status: int, said: str, why: str) -> None:
    assert connect_error(status, said, seconds=5) == why


def _run(argv: tuple[str, ...]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    return connect_error(done.returncode, done.stderr or done.stdout, seconds=2)


def test_real_connections(port: int) -> None:
    assert _run(connect_argv("127.0.0.1", port, seconds=2)) == ""
    assert _run(connect_argv("127.0.0.1", 1, seconds=2)) == "Connection refused"
    assert _run(connect_argv("127.0.0.1", port, "word", seconds=2, then=' && [ "$2" = word ]')) == ""
    assert _run(connect_argv("127.0.0.1", port, "other", seconds=2, then=' && [ "$2" = word ]')) != ""


def test_in_a_script(port: int) -> None:
    command = connect_command('"$1" "$2"', seconds=2)
    assert _run(("sh", "-c", command, "probe", "127.0.0.1", str(port))) == ""
    assert _run(("sh", "-c", command, "probe", "127.0.0.1", "1")) == "Connection refused"
    late = f'case "$1:" in {LATE_PATTERN}) exit 0 ;; *) exit 1 ;; esac'
    found = [_run(("sh", "-c", late, "probe", status)) == "" for status in ("124", "143", "1")]
    assert found == [True, True, False]
