"""A pool of connections that are opened on first use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.login.questions import asking_seconds
from oz_installer.remote.transport import Transport

CLOSING_SECONDS = 1.0


class ConnectionPool:
    """A pool of one connection per node, opened on first use.

    Connections that open after ``close()`` are closed at once. ``patience`` (seconds) limits the whole
    connection to a node with all its steps (a jump host, a busy sshd), but not the time in which the operator
    is asked for a code; without it there is no limit.
    """

    def __init__(self, open_node: Callable[[str], Transport], *, patience: float | None = None) -> None:
        self._open_node = open_node
        self._patience = patience
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()
        self._opening: dict[str, Future[Transport]] = {}
        self._closed = False

    def __call__(self, name: str) -> Transport:
        """Return the connection to a node. Raises to every caller what opening it raised."""
        with self._lock:
            future = self._opening.get(name)
            mine = future is None
            if future is None:
                future = self._opening[name] = Future()
                self._until[name] = time.monotonic() - asking_seconds() + (self._patience or 0.0)
        if self._patience is None:
            if mine:
                self._fill(future, name)
            return future.result()
        if mine:
            threading.Thread(target=self._fill, args=(future, name), daemon=True, name=f"open-{name}").start()
        while wait(
            [future], timeout=max(0.0, self._until[name] + asking_seconds() - time.monotonic())
        ).not_done:
            if time.monotonic() < self._until[name] + asking_seconds():
                continue
            raise ConnectError(
                f"not connected within {self._patience:g} s",
                "Check that sshd on the node is not overloaded, and that the jump host, if any, is not slow.",
                node=name,
            )
        return future.result()

    def _fill(self, future: Future[Transport], name: str) -> None:
        try:
            transport = self._open_node(name)
        except BaseException as error:  # noqa: BLE001 - every caller gets it
            future.set_exception(error)
            return
        with self._lock:
            closed = self._closed
        if closed:
            transport.close()
            future.set_exception(ConnectError("stopped at your request", node=name))
        else:
            future.set_result(transport)

    def close(self) -> None:
        """Close all connections, waiting a second at most, since one of them may hang."""
        with self._lock:
            self._closed = True
            opened = [one for one in self._opening.values() if one.done() and one.exception() is None]
        threads = [
            threading.Thread(target=future.result().close, daemon=True, name="close-node")
            for future in opened
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(CLOSING_SECONDS)
