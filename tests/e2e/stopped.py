"""Runs of oz-install that are stopped by a signal at a moment that its events tell."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.e2e.site import Outcome

Event = Mapping[str, Any]
Moment = Callable[[Event], bool]
LIMIT_SECONDS = 300.0


def phase(title: str) -> Moment:
    """The moment at which a phase begins."""
    return lambda event: event["event"] == "PhaseStarted" and event["phase"] == title


def job(name: str) -> Moment:
    """The moment at which a job begins."""
    return lambda event: event["event"] == "ServiceState" and event["service"] == name


def healthy(name: str) -> Moment:
    """The moment at which one service of several that are waited for is well."""
    return lambda event: job(name)(event) and event["state"] == "healthy"


MOMENTS: Mapping[str, Moment] = {
    "locking": phase("Lock the nodes"),
    "sending": phase("Send files"),
    "switching": phase("Switch to the new files"),
    "a job": job("oz-init-db"),
    "starting": phase("Start the API and its queues"),
    "waiting for health": healthy("oz-api"),
    "verifying": phase("Verify from outside"),
}
PULLING = phase("Pull images")


def heard(event: Event) -> bool:
    """The moment at which the run says that it will stop."""
    return event["event"] == "Message" and str(event["text"]).startswith(("stopping; ", "rolling back "))


class Running:
    """oz-install with --json in a process of its own, listened to as it goes on."""

    def __init__(self, path: Path, err: IO[str], *flags: str) -> None:
        command = [sys.executable, "-m", "oz_installer", "--answers", str(path), "--yes", "--json", *flags]
        self.began = time.monotonic()
        self._err = err
        self._out: list[str] = []
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=err, stdin=subprocess.DEVNULL, text=True
        )

    def until(self, wanted: Moment) -> None:
        """Listen until the moment has come. Fails when the run ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._out.append(line)
            if wanted(json.loads(line)):
                return
        raise AssertionError(f"the run ended before: {self.end()}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def send_after(self, seconds: float, number: signal.Signals) -> None:
        """Send a signal when the run has lasted that long, if it is not over by then."""
        try:
            self.process.communicate(timeout=max(0.0, seconds - (time.monotonic() - self.began)))
        except subprocess.TimeoutExpired:
            self.send(number)

    def end(self) -> Outcome:
        """Wait until it has ended; all that it said."""
        rest, _ = self.process.communicate(timeout=LIMIT_SECONDS)
        self._err.seek(0)
        return Outcome(
            status=self.process.returncode, stdout="".join(self._out) + rest, stderr=self._err.read()
        )


@contextmanager
def running(path: Path, *flags: str) -> Iterator[Running]:
    """A run under way; killed when the test is over before it is."""
    with tempfile.TemporaryFile("w+") as err:
        run = Running(path, err, *flags)
        try:
            yield run
        finally:
            run.process.kill()
            run.process.wait()


def stop(path: Path, moment: Moment, number: signal.Signals, *flags: str) -> Outcome:
    """Start a run, send it a signal when the moment has come, and wait for its end."""
    with running(path, *flags) as run:
        run.until(moment)
        run.send(number)
        return run.end()


GO_ON = "hint: Run the same command again to resume."
NOTHING_CHANGED = "hint: Nothing was changed."
"""In the preflight there is nothing to go on with."""


def assert_stopped(ended: Outcome, words: str) -> None:
    """Exit code 130 and one message: at whose wish, what became of the changes, what to do."""
    assert ended.status == 130, (ended.status, ended.stderr)
    assert "Traceback" not in ended.stderr + ended.stdout, ended.stderr
    told = ended.stderr.strip().splitlines()
    assert [line for line in told if "stopped at your request" in line] == told[:1], ended.stderr
    assert words in told[0], ended.stderr
    early = told[0] == "stopped at your request"
    assert told[1:] in ([[GO_ON], [NOTHING_CHANGED]] if early else [[GO_ON]]), ended.stderr
    assert [event["message"] for event in ended.events if event["event"] == "Error"] == told[:1]


@contextmanager
def silent_server() -> Iterator[tuple[int, Callable[[], None]]]:
    """A port of this machine that takes connections and never says a word; and what waits for one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(LIMIT_SECONDS)
        taken: list[socket.socket] = []
        try:
            yield listening.getsockname()[1], lambda: taken.append(listening.accept()[0])
        finally:
            for connection in taken:
                connection.close()


def in_a_terminal(path: Path, moment: str) -> int:
    """Run on a terminal of its own, which closes when that text was seen; the exit code."""
    number, terminal = pty.fork()
    if number == 0:  # the run leads the terminal's session, as a command given to ssh does
        try:
            command = [sys.executable, "-m", "oz_installer", "--answers", str(path), "--yes"]
            os.execve(sys.executable, command, {**os.environ, "TERM": "xterm"})  # noqa: S606
        finally:
            os._exit(127)
    seen = b""
    until = time.monotonic() + LIMIT_SECONDS
    while moment.encode() not in seen:
        assert time.monotonic() < until, seen
        if select.select([terminal], [], [], 1.0)[0]:
            seen += os.read(terminal, 4096)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
