"""M5: what a node sends is bounded in size and in time."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any, cast

import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.limits import MOST_OUTPUT, TooMuchOutput, TooSlow
from oz_installer.remote.ssh.command_line import Marks
from oz_installer.remote.ssh.exec_channel import ExecChannel
from oz_installer.remote.ssh.socket_bridge import socket_for_channel
from oz_installer.remote.ssh.start_watch import StartWatch
from tests.local_transport import LocalTransport

HERE = LocalTransport(become="none")
DRIP = ("sh", "-c", "while :; do echo x; sleep 0.1; done")


class Channel:
    """A channel of a hostile sshd: it sends ``piece`` whenever it is asked, every ``pace`` seconds."""

    def __init__(self, piece: bytes, pace: float = 0.0) -> None:
        self.in_buffer = self.in_stderr_buffer = self
        self.piece, self.pace = piece, pace
        self.closed = False
        self.exit_status = 0

    def set_event(self, event: threading.Event) -> None:
        """There is always something to read."""
        event.set()

    def settimeout(self, seconds: float | None) -> None:
        """Nothing blocks."""

    def recv_ready(self) -> bool:
        """Always."""
        return True

    def recv_stderr_ready(self) -> bool:
        """Never."""
        return False

    def recv(self, size: int) -> bytes:
        """The same again."""
        threading.Event().wait(self.pace)
        return self.piece[:size]

    recv_stderr = recv

    def shutdown_write(self) -> None:
        """Nothing more is sent."""


def exchange(channel: Channel, timeout: float = 60.0, **options: Any) -> ExecChannel:
    """One command that runs already."""
    marks = Marks()
    watch = StartWatch(marks, become=False)
    for stream in ("stdout", "stderr"):
        assert watch.take(stream, marks.run) == b""
    return ExecChannel(cast("Any", channel), cast("Any", None), timeout, watch, **options)


def test_m5_output_without_end_ends_the_command() -> None:
    with pytest.raises(TooMuchOutput):
        exchange(Channel(b"x" * (1 << 20))).run(None)
    with pytest.raises(ConnectError, match=r"localhost: the command printed more than 16.0 MB"):
        HERE.run(("yes",))


def test_m5_drips_end_the_command_although_it_is_never_silent() -> None:
    with pytest.raises(TooSlow):
        exchange(Channel(b"x", pace=0.01), timeout=0.2).run(None)
    began = time.monotonic()
    with pytest.raises(ConnectError, match="not over after 2 s"):
        HERE.run(DRIP, timeout=1.0)
    assert time.monotonic() - began < 30


def test_m5_of_a_followed_command_the_end_stays() -> None:
    seen = 0

    def follow(piece: bytes) -> None:
        nonlocal seen
        seen += len(piece)

    script = f"head -c {3 * MOST_OUTPUT} /dev/zero; echo the end"
    result = HERE.run(("sh", "-c", script), on_output=follow)
    assert result.ok
    assert seen > 3 * MOST_OUTPUT
    assert len(result.stdout) <= MOST_OUTPUT
    assert result.text.endswith("the end\n")


def read_all(sock: socket.socket) -> int:
    """Count what comes."""
    count = 0
    while data := sock.recv(1 << 16):
        count += len(data)
    return count


def test_m5_a_tunnel_ends_after_its_bytes() -> None:
    with socket_for_channel(Channel(b"x" * 1000), lambda: None, most=2500) as sock:
        sock.settimeout(20)
        assert read_all(sock) == 2500


def test_m5_a_tunnel_ends_after_its_time() -> None:
    with socket_for_channel(Channel(b"x", pace=0.01), lambda: None, most=10**9, seconds=0.2) as sock:
        sock.settimeout(20)
        assert 0 < read_all(sock) < 1000
