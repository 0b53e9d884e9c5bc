"""Background jobs in threads for a screen, a dialog or the app: named and stoppable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event as Stop
from threading import Thread
from typing import Any, Protocol, cast

from textual.dom import DOMNode
from textual.message import Message

from oz_installer.errors import AnswersError, OzError, unexpected
from oz_installer.text import strip_control
from oz_installer.tui.messages import JobFailed, JobFinished

HELD = "install"
"""The job that must not be interrupted."""

GOES_ON = "The installation continues."

THREADS = 64
"""Most jobs that run in parallel.

Python's own pool has six threads on two processors: nodes that do not answer or wait for a password would
keep the answers from being validated and saved.
"""

Post = Callable[[object], None]
Job = Callable[[Post, Stop], Any]
"""Runs in a thread, sends reports, ends soon after the stop is set, and may raise OzError."""


class HoldingExit(Protocol):
    """An exit controller, as far as jobs need it."""

    @property
    def held(self) -> bool:
        """True while something must not be interrupted."""
        ...


class HoldingApp(Protocol):
    """The app, as jobs see it."""

    leaving: HoldingExit


@dataclass(eq=False)
class JobMessage(Message):
    """A report of a job. ``what`` is a frozen dataclass; ``until`` identifies the job's start."""

    what: object
    job: str
    until: Stop

    bubble = False


class Jobs:
    """Jobs of one owner, which receives ``JobMessage``s and reads them with ``report_of``."""

    def __init__(self, owner: DOMNode) -> None:
        self._owner = owner
        self._stops: dict[str, Stop] = {}

    def start(self, name: str, job: Job, *, apart: bool = False) -> Stop:
        """Run ``job(post, stop)`` in a thread; stop an earlier one of that name and ignore it.

        At its end the job sends ``JobFinished`` with its result, or ``JobFailed`` with the text of an
        OzError. The program waits for its jobs when it exits, except for those started with ``apart``.
        """
        self.stop(name)
        stop = self._stops[name] = Stop()
        work = partial(self._run, name, job, stop)
        self._owner.run_worker(partial(_apart, work) if apart else work, name=name, thread=not apart)
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
        """Return whether a job of that name is running."""
        return name in self._stops

    def report_of(self, message: JobMessage) -> object | None:
        """Return the report in a message; None when its job was stopped or replaced."""
        if self._stops.get(message.job) is not message.until:
            return None
        if isinstance(message.what, JobFinished | JobFailed):
            del self._stops[message.job]
        if isinstance(message.what, JobFinished):
            return message.what
        from oz_installer.tui.views.problem_text import with_form_names  # not before the first frame

        return with_form_names(message.what)

    def _forget(self, name: str, stop: Stop) -> None:
        if self._stops.get(name) is stop:
            del self._stops[name]

    def _is_beside(self, name: str) -> bool:
        """Return whether the job runs during an installation, which no fault of another job may end."""
        return name != HELD and cast("HoldingApp", self._owner.app).leaving.held

    def _run(self, name: str, job: Job, stop: Stop) -> None:
        def post(report: object) -> None:
            self._owner.post_message(JobMessage(report, name, stop))

        def end(report: JobFinished | JobFailed) -> None:
            if not self._owner.post_message(JobMessage(report, name, stop)):
                self._forget(name, stop)  # its owner has gone

        try:
            result = job(post, stop)
        except OzError as error:
            texts = (error_text(error), error.hint, getattr(error, "details", ""))
            message, hint, details = map(strip_control, texts)
            end(JobFailed(job=name, message=message, hint=hint, details=details))
        except Exception as fault:
            if not self._is_beside(name):
                self._forget(name, stop)
                if isinstance(fault, StopIteration):
                    raise RuntimeError("a job raised StopIteration") from fault  # which no future can hold
                raise
            failure = unexpected(fault, with_text=False)  # its text may contain anything
            end(JobFailed(job=name, message=failure.message, hint=f"{GOES_ON} {failure.hint}"))
        else:
            end(JobFinished(job=name, result=result))


def use_own_threads() -> None:
    """Give the running loop enough threads for all jobs."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="job"))


async def _apart(work: Callable[[], None]) -> None:
    """Run in a daemon thread, for which the program does not wait at exit. Raises its exception."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def end(fault: BaseException | None) -> None:
        if done.done():  # cancelled
            return
        if fault is None:
            done.set_result(None)
        else:
            done.set_exception(fault)

    def run() -> None:
        fault: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - raised again where it is waited for
            fault = raised
        with suppress(RuntimeError):  # the loop is over
            loop.call_soon_threadsafe(end, fault)

    Thread(target=run, daemon=True).start()
    await done


def error_text(error: OzError) -> str:
    """Return the error's text, or its problems with the line or field and the fix of each."""
    from oz_installer.tui.views.problem_text import form_names  # not before the first frame

    problems = error.problems if isinstance(error, AnswersError) else ()
    texts = (str(one) if one.source or one.line else form_names(str(one)) for one in problems)
    return ". ".join(texts) or str(error)
