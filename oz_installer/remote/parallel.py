"""Work on several nodes at once, on threads that never keep the program from ending.

The executor of the standard library joins its threads when the interpreter ends: a command that hangs on a
node would then hold up a second Ctrl-C.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from typing import TypeVar

from oz_installer.errors import RERUN_HINT, Interrupted

K = TypeVar("K", bound=str)
T = TypeVar("T")
TURN_SECONDS = 0.1


def start_all(keys: Iterable[K], work: Callable[[K], T], *, name: str = "node") -> dict[K, Future[T]]:
    """Start ``work`` for every key in a thread of its own; what becomes of each, in the order of the keys."""
    futures: dict[K, Future[T]] = {}
    for key in keys:
        future: Future[T] = Future()
        futures[key] = future
        thread = threading.Thread(target=_fill, args=(future, work, key), name=f"{name}-{key}", daemon=True)
        thread.start()
    return futures


def wait_all(futures: Mapping[K, Future[T]], stop: threading.Event | None = None) -> Mapping[K, Future[T]]:
    """The same, once all of it is over. Waits in short turns: Python heeds no signal in a wait without a
    limit, if it came in the instant before. Raises Interrupted when ``stop`` is set before the end: what is
    at work is left to itself then."""
    while wait(futures.values(), timeout=TURN_SECONDS).not_done:
        if stop is not None and stop.is_set():
            raise Interrupted("stopped at your request", RERUN_HINT)
    return futures


def _fill(future: Future[T], work: Callable[[K], T], key: K) -> None:
    try:
        result = work(key)
    except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
        future.set_exception(error)
    else:
        future.set_result(result)
