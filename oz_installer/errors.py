"""The tree of errors that an operator may see.

::

    OzError                     1    something unexpected: a bug in oz-install
    ├── AnswersError            2    answers or usage; carries every problem found
    ├── PreflightError          3    a node, database or share is not ready; nothing was changed
    │   └── ConnectError        3    a node could not be reached or refused the login
    ├── DeployError             4    a change failed and was rolled back; a rerun resumes
    ├── LockedError             5    another run holds the lock of the node
    └── Interrupted           130    the operator stopped the run

The number is the exit code. Each error has a ``message`` (what happened and why) and
a ``hint`` (what to do next). ``console/output/errors.py`` is the only place that prints them.
"""

from __future__ import annotations

from collections.abc import Sequence

from oz_installer.frozen import dataclass

RERUN_HINT = "Run the same command again to resume."
FAULT_HINT = "This is a fault of oz-install: send this message to Oz Forensics."


class OzError(Exception):
    """A failure reported to the operator: what happened, why, and what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "", *, node: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.node = node

    def __str__(self) -> str:
        return f"{self.node}: {self.message}" if self.node else self.message


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem in the answers: its location, what is wrong, and how to fix it.

    ``item`` is the name of the list item that holds the key, such as ``api1``, if it has one.
    """

    key: str
    message: str
    hint: str = ""
    line: int | None = None
    source: str | None = None
    item: str = ""

    def __str__(self) -> str:
        location = ":".join(str(part) for part in (self.source, self.line) if part is not None)
        key = f"{self.key} ({self.item})" if self.key and self.item else self.key
        head = ": ".join(part for part in (location, key, self.message) if part)
        return f"{head}; {self.hint}" if self.hint else head


class AnswersError(OzError):
    """The answers or the command line are wrong; ``problems`` lists every problem."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "", *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint)
        self.problems = tuple(problems)


class PreflightError(OzError):
    """A node, database or share is not ready; nothing was changed."""

    exit_code = 3


class ConnectError(PreflightError):
    """A node could not be reached, has the wrong host key, or refused the login."""


class DeployError(OzError):
    """A change failed; ``details`` holds log lines and health check output."""

    exit_code = 4

    def __init__(self, message: str, hint: str = "", *, node: str | None = None, details: str = "") -> None:
        super().__init__(message, hint, node=node)
        self.details = details


class LockedError(OzError):
    """Another run holds the lock of a node."""

    exit_code = 5


class Interrupted(OzError):
    """The operator stopped the run."""

    exit_code = 130


def unexpected(
    error: Exception, what: str = "something unexpected happened", *, with_text: bool = True
) -> OzError:
    """Wrap an exception that only a fault of oz-install can raise; its own text may be left out."""
    kind = type(error).__name__
    fault = OzError(f"{what}: {kind}: {error}" if with_text else f"{what}: {kind}", FAULT_HINT)
    fault.__cause__ = error
    return fault
