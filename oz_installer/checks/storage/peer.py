"""Has the first api node hold a file for another one, which mounts meanwhile and keeps its own findings."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from oz_installer.checks.storage.probe import END_SECONDS, HeldFile, MediaLocation, StorageFacts
from oz_installer.errors import ConnectError, OzError
from oz_installer.remote.transport import Transport
from oz_installer.text import safe_line

REACH_SECONDS = 5.0
"""How long a node waits for the connection to another, and its session."""
HELD_AT = 9.5
"""So long after its check began a node waits for another that is connected to: the runner gives up on both at
15 s, and there is still something to be seen then."""
OVER_AT = 14.0
"""So long after its check began it waits for the other's file to go: it goes without us, too."""


class _PeerFile:
    """``Held`` on another node, in a thread of its own."""

    def __init__(
        self, reach: Callable[[], Transport], place: MediaLocation, name: str, word: str, *, began: float
    ) -> None:
        self._reach, self._place, self._name, self._word = reach, place, name, word
        self._began = began
        self._asked = time.monotonic()
        self._connected: Future[float] = Future()
        self._opened: Future[None] = Future()
        self._told: Future[StorageFacts] = Future()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold, name=f"hold-{name}", daemon=True)
        self._thread.start()

    def _hold(self) -> None:
        try:
            transport = self._reach()
            self._connected.set_result(time.monotonic())
            server = self._place.ask(transport)
            if server is not None and not server.speaks_nfs:
                self._told.set_result(StorageFacts(server=server, away="gets no answer from the NFS server"))
                return
            with HeldFile(transport, self._place, self._name, self._word, on_open=self._open) as held:
                self._told.set_result(held.facts)
                self._over.wait()
        except Exception as error:  # noqa: BLE001 - raised again by ``facts``
            if not self._told.done():
                self._told.set_exception(error)

    def _open(self) -> None:
        self._opened.set_result(None)

    def begin(self) -> None:
        """Wait until it is at work, or will not be soon. Sessions are taken in the order of the nodes, as
        everybody does: with MaxSessions 1 two checks would else wait for each other."""
        either: list[Future[Any]] = [self._opened, self._told]
        wait(either, self._left(REACH_SECONDS), return_when=FIRST_COMPLETED)

    def facts(self) -> StorageFacts:
        """What it sees; with ``away`` where it cannot be reached, or holds nothing in time."""
        if self._connected.done():
            wait([self._told], self._left())
        try:
            return self._told.result(0)
        except ConnectError:
            return StorageFacts(away="cannot be reached")
        except OzError as error:
            return StorageFacts(away=f"cannot be asked: {safe_line(error.message)}")
        except TimeoutError:
            return StorageFacts(away=self._late())

    def end(self) -> None:
        """Let the file go."""
        self._over.set()
        if self._told.done():
            self._thread.join(max(0.0, min(END_SECONDS, self._began + OVER_AT - time.monotonic())))

    def _left(self, longest: float = math.inf) -> float:
        return max(0.0, min(longest, self._began + HELD_AT - time.monotonic()))

    def _late(self) -> str:
        if not self._connected.done():
            return f"was not connected to within {_seconds(time.monotonic() - self._asked)}"
        spent = _seconds(time.monotonic() - self._connected.result())
        if not self._opened.done():
            return f"opened no session within {spent}"
        return f"took longer than {spent} to {'mount it' if self._place.device else 'write there'}"


@contextlib.contextmanager
def hold_on_peer(
    reach: Callable[[], Transport], place: MediaLocation, name: str, word: str, *, began: float
) -> Iterator[Callable[[], StorageFacts]]:
    """``Held`` on another node. What is given waits for the facts of that node, but not so long that findings
    of this one, whose check ``began`` then (of the monotonic clock), were late."""
    holder = _PeerFile(reach, place, name, word, began=began)
    try:
        holder.begin()
        yield holder.facts
    finally:
        holder.end()


def _seconds(amount: float) -> str:
    return f"{amount:.{0 if amount >= 1 else 1}f} s"
