"""Connections that are opened when somebody first asks for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from oz_installer.errors import ConnectError
from oz_installer.remote.transport import Transport

CLOSING_SECONDS = 1.0


class Lines:
    """One connection a node, whoever asks for it; what is opened after the end is closed at once."""

    def __init__(self, open_node: Callable[[str], Transport]) -> None:
        self._open_node = open_node
        self._lock = threading.Lock()
        self._opening: dict[str, Future[Transport]] = {}
        self._closed = False

    def __call__(self, name: str) -> Transport:
        """The connection to that node. Raises what opening it raised, to everyone who asks."""
        with self._lock:
            future = self._opening.get(name)
            mine = future is None
            if future is None:
                future = self._opening[name] = Future()
        if mine:
            self._fill(future, name)
        return future.result()

    def _fill(self, future: Future[Transport], name: str) -> None:
        try:
            transport = self._open_node(name)
        except BaseException as error:  # noqa: BLE001 - whoever asks gets it
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
        """End all connections, waiting a second at most: one that hangs must keep nobody."""
        with self._lock:
            self._closed = True
            opened = [one for one in self._opening.values() if one.done() and one.exception() is None]
        threads = [
            threading.Thread(target=future.result().close, daemon=True, name="close-line")
            for future in opened
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(CLOSING_SECONDS)
