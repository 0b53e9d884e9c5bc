"""A file held on the first api node by a thread, while another node mounts its own folder."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from oz_installer.checks.storage.probe import END_SECONDS, HeldFile, MediaLocation, StorageFacts
from oz_installer.checks.viewpoint import NodeViewpoint
from oz_installer.errors import ConnectError, OzError
from oz_installer.remote.transport import Transport
from oz_installer.text import safe_line

REACH_SECONDS = 5.0
"""Time limit for the connection to the peer and its session."""
HELD_AT = 9.5
"""Seconds after the start of the check until which a node waits for a connected peer.

The runner abandons both at 15 s, and the node still has to look for the file."""
OVER_AT = 14.0
"""Seconds from the check's start until which it waits for the peer's file to be removed.

The file is removed even if nobody waits."""


class _PeerFile:
    """A ``HeldFile`` on another node, in a thread of its own."""

    def __init__(
        self,
        transport_of: Callable[[], Transport],
        location: MediaLocation,
        name: str,
        content: str,
        *,
        began: float,
    ) -> None:
        self._transport_of, self._location, self._name, self._content = transport_of, location, name, content
        self._began = began
        self._started = time.monotonic()
        self._connected: Future[float] = Future()
        self._opened: Future[None] = Future()
        self._facts: Future[StorageFacts] = Future()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold, name=f"hold-{name}", daemon=True)
        self._thread.start()

    def _hold(self) -> None:
        try:
            transport = self._transport_of()
            self._connected.set_result(time.monotonic())
            server = self._location.call_server(NodeViewpoint(transport))
            if server is not None and not server.speaks_nfs:
                self._facts.set_result(
                    StorageFacts(server=server, unavailable="gets no answer from the NFS server")
                )
                return
            with HeldFile(transport, self._location, self._name, self._content, on_open=self._open) as held:
                self._facts.set_result(held.facts)
                self._over.wait()
        except Exception as error:  # noqa: BLE001 - raised again by ``facts``
            if not self._facts.done():
                self._facts.set_exception(error)

    def _open(self) -> None:
        self._opened.set_result(None)

    def begin(self) -> None:
        """Wait until the peer's session is open, up to a limit.

        Sessions are opened in the order of the nodes everywhere: with MaxSessions 1 two checks would
        otherwise wait for each other."""
        either: list[Future[Any]] = [self._opened, self._facts]
        wait(either, self._left(REACH_SECONDS), return_when=FIRST_COMPLETED)

    def facts(self) -> StorageFacts:
        """Return the peer's facts; ``unavailable`` is set when it holds no file in time."""
        if self._connected.done():
            wait([self._facts], self._left())
        try:
            return self._facts.result(0)
        except ConnectError:
            return StorageFacts(unavailable="cannot be reached")
        except OzError as error:
            return StorageFacts(unavailable=f"cannot be checked: {safe_line(error.message)}")
        except TimeoutError:
            return StorageFacts(unavailable=self._late())

    def end(self) -> None:
        """Release the file."""
        self._over.set()
        if self._facts.done():
            self._thread.join(max(0.0, min(END_SECONDS, self._began + OVER_AT - time.monotonic())))

    def _left(self, longest: float = math.inf) -> float:
        return max(0.0, min(longest, self._began + HELD_AT - time.monotonic()))

    def _late(self) -> str:
        if not self._connected.done():
            return f"was not connected within {_seconds(time.monotonic() - self._started)}"
        spent = _seconds(time.monotonic() - self._connected.result())
        if not self._opened.done():
            return f"opened no session within {spent}"
        return f"took longer than {spent} to {'mount it' if self._location.device else 'write there'}"


@contextlib.contextmanager
def hold_on_peer(
    transport_of: Callable[[], Transport], location: MediaLocation, name: str, content: str, *, began: float
) -> Iterator[Callable[[], StorageFacts]]:
    """Hold a file on another node inside the block.

    The function it yields waits for the facts of that node, but not so long that the check of this node,
    which ``began`` at that time (monotonic clock), would be late."""
    holder = _PeerFile(transport_of, location, name, content, began=began)
    try:
        holder.begin()
        yield holder.facts
    finally:
        holder.end()


def _seconds(amount: float) -> str:
    return f"{amount:.{0 if amount >= 1 else 1}f} s"
