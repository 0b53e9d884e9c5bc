"""Sessions of a connection whose server allows one at a time, and counts an ended one a moment longer."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import paramiko
import pytest

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh import session_limit
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.session_limit import SessionLimiter

SETTLE = 0.2


class Server:
    """Opens one session at a time; after each it refuses some more."""

    def __init__(self, late: int, most: int = 1) -> None:
        self.late, self.most = late, most
        self.open = self.refuse = 0
        self._lock = threading.Lock()

    def open_session(self, timeout: float) -> Any:
        with self._lock:
            if self.open >= self.most or self.refuse:
                self.refuse -= 1 if self.open < self.most else 0
                raise paramiko.ChannelException(1, "open failed")
            self.open += 1
        return self

    def close(self) -> None:
        with self._lock:
            self.open -= 1
            self.refuse = self.late


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_limit, "_SETTLE_SECONDS", SETTLE)


def test_a_long_wait_takes_nothing_from_the_patience_with_the_server() -> None:
    found = SessionLimiter(cast(KeepaliveTransport, Server(late=2)), "n1")
    first = found.acquire(1)
    ended: list[object] = []
    waiting = threading.Thread(target=lambda: ended.append(found.acquire(1)))
    waiting.start()
    time.sleep(2 * SETTLE)
    found.release(first)
    waiting.join(10)
    assert ended == [first]
    assert found.limit == 1


def test_a_server_that_opens_none_is_given_up() -> None:
    found = SessionLimiter(cast(KeepaliveTransport, Server(late=0, most=0)), "n1")
    began = time.monotonic()
    with pytest.raises(ConnectError, match="opens no session"):
        found.acquire(1)
    assert time.monotonic() - began < 5
