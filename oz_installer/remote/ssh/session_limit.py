"""Limit concurrent SSH sessions to the server's MaxSessions, learned from its refusals."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.paramiko_import import paramiko

# sshd's default of MaxSessions
USUAL_SESSIONS = 10
_REFUSALS = {1, 2, 4}  # administratively prohibited, connect failed, resource shortage (RFC 4254, 5.1)
# After a session has ended, sshd may still count it for a moment.
_SETTLE_SECONDS = 3.0


class SessionLimiter:
    """Open session channels, never more at a time than the server allows."""

    def __init__(self, transport: KeepaliveTransport, node: str) -> None:
        self._transport = transport
        self._node = node
        self._limit = USUAL_SESSIONS
        self._open = 0
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """The limit of concurrent sessions, as far as known."""
        return self._limit

    @contextmanager
    def session(self, timeout: float) -> Iterator[paramiko.Channel]:
        """Open a session channel inside the ``with`` block. Raises ConnectError.

        ``timeout`` limits the server's silence, in seconds; waiting for another command has no limit."""
        channel = self.acquire(timeout)
        try:
            yield channel
        finally:
            self.release(channel)

    def acquire(self, timeout: float) -> paramiko.Channel:
        """Open a session; close it by ``release``."""
        refused_since: float | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._open < self._limit)
                self._open += 1
            try:
                return self._transport.open_session(timeout=timeout)
            except paramiko.ChannelException as error:
                refused_since = self._refused(error, refused_since or time.monotonic())
            except BaseException:
                self._free()
                raise

    def _refused(self, error: paramiko.ChannelException, since: float) -> float | None:
        """Lower the limit to the number of open sessions; without any, retry for a short time only.

        Returns when the retrying began; None while other sessions are open, whose end it waits for."""
        with self._changed:
            self._open -= 1
            others = self._open
            if others:
                self._limit = max(1, min(self._limit, others))
            self._changed.notify_all()
        may_retry = time.monotonic() - since < _SETTLE_SECONDS
        if error.code not in _REFUSALS or (not others and not may_retry):
            raise ConnectError(
                f"the server opens no session: {error.text}",
                "Set MaxSessions in its sshd_config to at least 1.",
                node=self._node,
            ) from None
        if others:
            return None
        time.sleep(0.02)
        return since

    def release(self, channel: paramiko.Channel) -> None:
        """Close a session, so that the next one can open."""
        try:
            channel.close()
        except (EOFError, OSError, paramiko.SSHException):
            pass
        finally:
            self._free()

    def _free(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()
