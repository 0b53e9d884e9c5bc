"""Parallel work on several nodes, in threads that never delay the program's exit.

The standard library's executor joins its threads at exit, so a command that hangs on a node would delay a
second Ctrl-C.
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
    """Start ``work`` for every key in a thread of its own; futures are in the keys' order."""
    futures: dict[K, Future[T]] = {}
    for key in keys:
        future: Future[T] = Future()
        futures[key] = future
        thread = threading.Thread(target=_fill, args=(future, work, key), name=f"{name}-{key}", daemon=True)
        thread.start()
    return futures


def wait_all(futures: Mapping[K, Future[T]], stop: threading.Event | None = None) -> Mapping[K, Future[T]]:
    """Wait until all futures are done. Raises Interrupted when ``stop`` is set.

    The work then continues in its threads.
    It waits in short turns, because Python may miss a signal that arrives just before an unlimited wait."""
    while wait(futures.values(), timeout=TURN_SECONDS).not_done:
        if stop is not None and stop.is_set():
            raise Interrupted("stopped at your request", RERUN_HINT)
    return futures


def _fill(future: Future[T], work: Callable[[K], T], key: K) -> None:
    try:
        result = work(key)
    except BaseException as error:  # noqa: BLE001 - the future's result() raises it
        future.set_exception(error)
    else:
        future.set_result(result)
