"""Work in threads for a screen, a dialog or the app: named, stoppable, and heard only while it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event as Stop
from typing import Any

from textual.dom import DOMNode
from textual.message import Message

from oz_installer.errors import OzError
from oz_installer.tui.bridge import Failed, Finished

Tell = Callable[[object], None]
Job = Callable[[Tell, Stop], Any]
"""What runs in the thread. It tells news, ends soon after the stop is set, and may raise OzError."""


@dataclass(eq=False)
class Told(Message):
    """News of a job. ``what`` is a frozen dataclass; ``until`` says which start of the job it is of."""

    what: object
    job: str
    until: Stop

    bubble = False


class Jobs:
    """The jobs of one owner, which gets ``Told`` messages and asks ``news`` what they hold."""

    def __init__(self, owner: DOMNode) -> None:
        self._owner = owner
        self._stops: dict[str, Stop] = {}

    def start(self, name: str, job: Job) -> Stop:
        """Run ``job(tell, stop)`` in a thread; an earlier one of that name must stop, and is not heard again.

        At the end ``Finished`` is told with what the job returned, or ``Failed`` with what an OzError said.
        """
        self.stop(name)
        stop = self._stops[name] = Stop()
        self._owner.run_worker(lambda: self._run(name, job, stop), name=name, thread=True)
        return stop

    def stop(self, name: str) -> None:
        """Ask the job of that name to stop."""
        if stop := self._stops.pop(name, None):
            stop.set()

    def stop_all(self) -> None:
        """Ask every job to stop."""
        for name in tuple(self._stops):
            self.stop(name)

    def running(self, name: str) -> bool:
        """Whether a job of that name is at work."""
        return name in self._stops

    def news(self, message: Told) -> object | None:
        """What a message holds; None when its job is no longer wanted."""
        if self._stops.get(message.job) is not message.until:
            return None
        if isinstance(message.what, Finished | Failed):
            del self._stops[message.job]
        return message.what

    def _run(self, name: str, job: Job, stop: Stop) -> None:
        def tell(news: object) -> None:
            self._owner.post_message(Told(news, name, stop))

        try:
            result = job(tell, stop)
        except OzError as error:
            details = getattr(error, "details", "")
            tell(Failed(job=name, message=str(error), hint=error.hint, details=details))
        else:
            tell(Finished(job=name, result=result))
