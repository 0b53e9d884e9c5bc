"""A phase, one named step of a recipe."""

from __future__ import annotations

from typing import Generic, TypeVar

from oz_installer.deploy.run_context import RunContext

R = TypeVar("R", bound=RunContext)
"""The run that a platform's phases work on, such as ``NodesRun``."""


class Phase(Generic[R]):
    """Base of all phases. Override ``title`` and ``run``, and the other methods where needed."""

    title = "unnamed"
    read_only = False
    """Whether the phase changes nothing."""

    def should_run(self, run: R) -> bool:  # noqa: ARG002
        """Return whether this phase has anything to do."""
        return True

    def run(self, run: R) -> None:
        """Do the work of the phase on all targets. Raises DeployError."""
        raise NotImplementedError

    def has_failed(self, run: R) -> bool:  # noqa: ARG002
        """Return whether a target failed though ``run`` raised nothing: the caller judges that."""
        return False

    def undo(self, run: R) -> None:
        """Undo what ``run`` did, even in part. Called in reverse order after a failure."""

    def close(self, run: R) -> None:
        """Clean up at the end of every run in which ``run`` was called, after any undo."""
