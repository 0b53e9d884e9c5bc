"""Connections to jump hosts that asked for a code, shared by the nodes behind them.

A code is valid once, and often for no second login within half a minute. So while one node's login to a jump
host asks the operator, others that come to the same question wait, and then use its connection.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from oz_installer.remote.ssh.keepalive import KeepaliveTransport
from oz_installer.remote.ssh.target import AskCode
from oz_installer.secret import Secret

Route = tuple[str, ...]
"""The hops up to a jump host."""


class SharedInstead(Exception):
    """Another login to the same jump host has succeeded meanwhile: use its connection."""


class _SharedLink:
    def __init__(self, link: KeepaliveTransport, below: tuple[KeepaliveTransport, ...]) -> None:
        self.link = link
        self.below = below
        self.users = 1


_lock = threading.Lock()
_shared: dict[Route, _SharedLink] = {}
_turns: dict[Route, threading.Lock] = {}


def take(route: Route) -> KeepaliveTransport | None:
    """Return the living connection of a route for one more user."""
    with _lock:
        known = _shared.get(route)
        if known is None or not known.link.is_active():
            return None
        known.users += 1
        return known.link


def share(route: Route, link: KeepaliveTransport, below: Sequence[KeepaliveTransport]) -> None:
    """Share a connection, and those it runs through."""
    with _lock:
        _shared[route] = _SharedLink(link, tuple(below))


def release(link: KeepaliveTransport) -> tuple[KeepaliveTransport, ...]:
    """Give up a connection; return those to close: none while others use it."""
    with _lock:
        for route, known in list(_shared.items()):
            if link is known.link:
                known.users -= 1
                if known.users > 0:
                    return ()
                del _shared[route]
                return link, *reversed(known.below)
            if link in known.below:
                return ()
    return (link,)


@contextmanager
def turn(route: Route, ask: AskCode) -> Iterator[AskCode]:
    """Give a way to ask for the codes of a route, whose first question waits for other logins.

    It raises SharedInstead when one of them has succeeded."""
    with _lock:
        mine = _turns.setdefault(route, threading.Lock())
    held = False

    def ask_in_turn(label: str) -> Secret:
        nonlocal held
        if not held:
            mine.acquire()
            held = True
            with _lock:
                known = _shared.get(route)
            if known is not None and known.link.is_active():
                raise SharedInstead
        return ask(label)

    try:
        yield ask_in_turn
    finally:
        if held:
            mine.release()
