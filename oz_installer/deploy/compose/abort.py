"""Cuts short what is under way on nodes, again and again until it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from time import monotonic

from oz_installer.deploy.events import Level
from oz_installer.errors import OzError
from oz_installer.remote.parallel import start_all, wait_all

AGAIN_SECONDS = 1.0


class AbortLoop:
    """``abort`` on several nodes at once; its first failure is said as a warning, the others are like it."""

    def __init__(
        self, abort: Callable[[str], None] | None, say: Callable[[str, str | None, Level], None]
    ) -> None:
        self._abort, self._say = abort, say
        self._futures: Mapping[str, Future[None]] = {}
        self._began: float | None = None
        self._told = False

    def repeat(self, nodes: Sequence[str]) -> None:
        """Try once more there, unless that was done within the last second or is still being done."""
        if self._abort is None or not all(future.done() for future in self._futures.values()):
            return
        self._look()
        if self._began is None or monotonic() - self._began >= AGAIN_SECONDS:
            self._began = monotonic()
            self._futures = start_all(nodes, self._abort, name="abort")

    def end(self) -> None:
        """Wait for what was begun: it must not meet what comes next."""
        wait_all(self._futures)
        self._look()

    def _look(self) -> None:
        for node, future in self._futures.items():
            if (error := future.exception()) is not None and not self._told:
                self._told = True
                said = error.message if isinstance(error, OzError) else f"{type(error).__name__}: {error}"
                self._say(f"what is under way could not be cut short: {said}", node, "warning")
