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
    opened, failures, result = open_some(nodes, work, meanwhile)
    if failures:
        for one in opened.values():
            one.close()
        raise _all_failures(list(failures.values()))
    return opened, result


def open_some(
    nodes: Sequence[Node], work: Callable[[Node], C], meanwhile: Callable[[], T]
) -> tuple[dict[str, C], dict[str, OzError], T]:
    """The same, but a node where ``work`` fails holds up no other: its failure is handed over by its name."""
    by_name = {node.name: node for node in nodes}
    opening = together(by_name, lambda name: work(by_name[name]), name="connect")
    try:
        result = meanwhile()
        failures = _failures(opening)
    except BaseException as error:
        _close_all(opening, wait=not isinstance(error, KeyboardInterrupt))
        raise
    opened = {name: future.result() for name, future in opening.items() if name not in failures}
    return opened, failures, result


def limited(answers: Answers, limit: Sequence[str]) -> list[Node]:
    """The nodes that ``--limit`` leaves. Raises AnswersError when it names one that is none."""
    names = [node.name for node in answers.nodes]
    unknown = [name for name in limit if name not in names]
    if unknown:
        raise AnswersError(
            f"--limit names no node of the answers: {', '.join(unknown)}", f"Known: {', '.join(names)}."
        )
    return [node for node in answers.nodes if not limit or node.name in limit]


def _failures(opening: Mapping[str, Future[C]]) -> dict[str, OzError]:
    """What failed, by node. Raises what is no failure of ours."""
    failures = {}
    for name, future in ended(opening).items():
        error = future.exception()
        if isinstance(error, OzError):
            failures[name] = error
        elif error is not None:
            raise error
    return failures


def _all_failures(failures: Sequence[OzError]) -> OzError:
    if len(failures) == 1:
        return failures[0]
    hints = list(dict.fromkeys(error.hint for error in failures if error.hint))
    return ConnectError("\n".join(str(error) for error in failures), "\n      ".join(hints))


def _close_all(opening: Mapping[str, Future[C]], *, wait: bool) -> None:
    for future in ended(opening).values() if wait else opening.values():
        if future.done() and future.exception() is None:
            future.result().close()
