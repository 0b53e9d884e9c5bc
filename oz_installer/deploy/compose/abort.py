"""Abort the work in progress on nodes, repeatedly until it has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from time import monotonic

from oz_installer.deploy.events import MessageLevel
from oz_installer.errors import OzError
from oz_installer.remote.parallel import start_all, wait_all

AGAIN_SECONDS = 1.0


class AbortLoop:
    """Calls ``abort`` on several nodes in parallel; reports its first failure as a warning."""

    def __init__(
        self, abort: Callable[[str], None] | None, log: Callable[[str, str | None, MessageLevel], None]
    ) -> None:
        self._abort, self._log = abort, log
        self._futures: Mapping[str, Future[None]] = {}
        self._began: float | None = None
        self._reported = False

    def repeat(self, nodes: Sequence[str]) -> None:
        """Abort on these nodes, unless an abort is running or one began within the last second."""
        if self._abort is None or not all(future.done() for future in self._futures.values()):
            return
        self._report_failure()
        if self._began is None or monotonic() - self._began >= AGAIN_SECONDS:
            self._began = monotonic()
            self._futures = start_all(nodes, self._abort, name="abort")

    def end(self) -> None:
        """Wait for running aborts, so that none affects the work that follows."""
        wait_all(self._futures)
        self._report_failure()

    def _report_failure(self) -> None:
        for node, future in self._futures.items():
            if (error := future.exception()) is not None and not self._reported:
                self._reported = True
                message = error.message if isinstance(error, OzError) else f"{type(error).__name__}: {error}"
                self._log(f"the work in progress could not be aborted: {message}", node, "warning")
