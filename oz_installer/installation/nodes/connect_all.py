"""Connections to several nodes at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from oz_installer.answers.model import Answers, Node
from oz_installer.answers.secrets.resolve import Secrets
from oz_installer.errors import AnswersError, ConnectError, OzError
from oz_installer.remote.parallel import start_all, wait_all
from oz_installer.remote.transport import Transport

T = TypeVar("T")
OpenTransport = Callable[[Node, Secrets], Transport]


class Closeable(Protocol):
    """What is left to be closed when another connection fails."""

    def close(self) -> None:
        """End it."""


C = TypeVar("C", bound=Closeable)


def connect_all(
    nodes: Sequence[Node],
    work: Callable[[Node], C],
    meanwhile: Callable[[], T],
    stop: threading.Event | None = None,
) -> tuple[dict[str, C], dict[str, OzError], T]:
    """Do ``work``, which opens a connection, for every node in a thread of its own, and ``meanwhile`` here. A
    node where ``work`` fails holds up no other: its failure is handed over by its name.

    Raises what ``meanwhile`` raised, Interrupted soon after ``stop`` is set; all that was opened is closed
    again then, and what is opened later as soon as it is.
    """
    by_name = {node.name: node for node in nodes}
    opening = start_all(by_name, lambda name: work(by_name[name]), name="connect")
    try:
        result = meanwhile()
        failures = _failures(opening, stop)
    except BaseException:
        _close_all(opening.values())
        raise
    opened = {name: future.result() for name, future in opening.items() if name not in failures}
    return opened, failures, result


def select_nodes(answers: Answers, limit: Sequence[str]) -> list[Node]:
    """The nodes that ``--limit`` leaves. Raises AnswersError when it names one that is none."""
    names = [node.name for node in answers.nodes]
    unknown = [name for name in limit if name not in names]
    if unknown:
        raise AnswersError(
            f"--limit names no node of the answers: {', '.join(unknown)}", f"Known: {', '.join(names)}."
        )
    return [node for node in answers.nodes if not limit or node.name in limit]


def combine_errors(failures: Sequence[OzError]) -> OzError:
    """One error that tells all of them."""
    if len(failures) == 1:
        return failures[0]
    hints = list(dict.fromkeys(error.hint for error in failures if error.hint))
    return ConnectError("\n".join(str(error) for error in failures), "\n      ".join(hints))


def _failures(opening: Mapping[str, Future[C]], stop: threading.Event | None) -> dict[str, OzError]:
    """What failed, by node. Raises what is no failure of ours."""
    failures = {}
    for name, future in wait_all(opening, stop).items():
        error = future.exception()
        if isinstance(error, OzError):
            failures[name] = error
        elif error is not None:
            raise error
    return failures


def _close_all(opening: Iterable[Future[C]]) -> None:
    """Those that are opened now, and the others when they are: nobody waits for a node that is silent."""
    for future in opening:
        future.add_done_callback(_close)


def _close(opened: Future[C]) -> None:
    if opened.exception() is None:
        opened.result().close()
