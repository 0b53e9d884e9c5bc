"""Questions to the operator in the middle of a login, one at a time."""

from __future__ import annotations

import threading
import time

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.target import AskCode
from oz_installer.secret import Secret


class PromptRefused(ConnectError):
    """A prompt that cannot be answered: nobody can be asked, or the password was refused."""


class _Clock:
    """The time that the operator took to answer, for limits that must not count it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total = 0.0
        self._open = 0
        self._since = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._open == 0:
                self._since = time.monotonic()
            self._open += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._open -= 1
            if self._open == 0:
                self._total += time.monotonic() - self._since

    def seconds(self) -> float:
        with self._lock:
            return self._total + (time.monotonic() - self._since if self._open else 0.0)


_clock = _Clock()
_one_at_a_time = threading.Lock()


def ask_one(ask: AskCode, label: str) -> Secret:
    """Ask the operator, after those who asked before."""
    with _clock, _one_at_a_time:
        return ask(label)


def asking_seconds() -> float:
    """Return for how long this process has waited for the operator's answers so far."""
    return _clock.seconds()
