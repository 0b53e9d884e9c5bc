"""Connections to several nodes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from oz_installer.answers.model import Answers, Node
from oz_installer.answers.secrets import Secrets
from oz_installer.errors import AnswersError, ConnectError, OzError
from oz_installer.remote.together import ended, together
from oz_installer.remote.transport import Transport

T = TypeVar("T")
OpenTransport = Callable[[Node, Secrets], Transport]


class Closing(Protocol):
    """What is left to be closed when another connection fails."""

    def close(self) -> None:
        """End it."""


C = TypeVar("C", bound=Closing)


def open_each(
    nodes: Sequence[Node], work: Callable[[Node], C], meanwhile: Callable[[], T]
) -> tuple[dict[str, C], T]:
    """Do ``work``, which opens a connection, for every node in a thread of its own, and ``meanwhile`` here.

    When anything fails all that was opened is closed again. Raises what ``meanwhile`` raised, else
    ConnectError with every node that could not be reached.
    """
    by_name = {node.name: node for node in nodes}
    opening = together(by_name, lambda name: work(by_name[name]), name="connect")
    try:
        result = meanwhile()
        return _opened(opening), result
    except BaseException as error:
        _close_all(opening, wait=not isinstance(error, KeyboardInterrupt))
        raise


def limited(answers: Answers, limit: Sequence[str]) -> list[Node]:
    """The nodes that ``--limit`` leaves. Raises AnswersError when it names one that is none."""
    names = [node.name for node in answers.nodes]
    unknown = [name for name in limit if name not in names]
    if unknown:
        raise AnswersError(
            f"--limit names no node of the answers: {', '.join(unknown)}", f"Known: {', '.join(names)}."
        )
    return [node for node in answers.nodes if not limit or node.name in limit]


def _opened(opening: Mapping[str, Future[C]]) -> dict[str, C]:
    failures = [error for future in ended(opening).values() if (error := future.exception()) is not None]
    if failures:
        raise _all_failures(failures)
    return {name: future.result() for name, future in opening.items()}


def _all_failures(failures: Sequence[BaseException]) -> BaseException:
    known = [error for error in failures if isinstance(error, OzError)]
    if len(known) < len(failures):
        return next(error for error in failures if not isinstance(error, OzError))
    if len(known) > 1:
        hints = list(dict.fromkeys(error.hint for error in known if error.hint))
        return ConnectError("\n".join(str(error) for error in known), "\n      ".join(hints))
    return known[0]


def _close_all(opening: Mapping[str, Future[C]], *, wait: bool) -> None:
    for future in ended(opening).values() if wait else opening.values():
        if future.done() and future.exception() is None:
            future.result().close()
