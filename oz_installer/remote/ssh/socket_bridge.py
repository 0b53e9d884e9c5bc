"""A real socket in front of a channel, because TLS and HTTP libraries need one."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

_READ = 1 << 16


def socket_for_channel(
    channel: Any,
    release: Callable[[], None],
    first: bytes = b"",
    *,
    most: int,
    seconds: float = float("inf"),
) -> socket.socket:
    """Return one end of a socket pair; two threads connect the other end with the channel.

    ``first`` was read from the channel already. ``release`` is called once, when either side has finished;
    closing the socket ends the channel. After ``most`` bytes from the channel, or ``seconds``, the socket
    ends as if the other side had closed it.
    """
    ours, theirs = socket.socketpair()
    channel.settimeout(None)
    finished = threading.Event()

    def finish() -> None:
        if not finished.is_set():
            finished.set()
            with contextlib.suppress(OSError, EOFError):  # the whole connection may be gone already
                release()

    def outward() -> None:
        with contextlib.suppress(OSError, EOFError):
            while data := theirs.recv(_READ):
                channel.sendall(data)
            channel.shutdown_write()
        reader.join(_LINGER)
        finish()
        theirs.close()

    reader = threading.Thread(
        target=_copy_in, args=(channel, theirs, first, most, seconds), daemon=True, name="oz-tunnel-in"
    )
    writer = threading.Thread(target=outward, daemon=True, name="oz-tunnel-out")
    reader.start()
    writer.start()
    return ours


def _copy_in(channel: Any, theirs: socket.socket, first: bytes, most: int, seconds: float) -> None:
    """Copy ``first``, then from the channel, until its end or a limit."""
    left, until = most, time.monotonic() + seconds
    with contextlib.suppress(OSError, EOFError):
        if first:
            theirs.sendall(first)
        while (data := channel.recv(_READ)) and left > 0 and time.monotonic() < until:
            theirs.sendall(data[:left])
            left -= len(data)
    with contextlib.suppress(OSError):
        theirs.shutdown(socket.SHUT_WR)


_LINGER = 5.0
