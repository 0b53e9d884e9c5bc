"""A phase: one named step of an installation."""

from __future__ import annotations

from oz_installer.deploy.compose.run import Run


class Phase:
    """Override ``title`` and ``run``; the others where they matter."""

    title = "unnamed"
    read_only = False  # whether it only looks, so that nothing has been changed after it

    def should_run(self, run: Run) -> bool:  # noqa: ARG002
        """Whether there is anything to do for this phase."""
        return True

    def run(self, run: Run) -> None:
        """Do it on all nodes; raises DeployError."""
        raise NotImplementedError

    def undo(self, run: Run) -> None:
        """Take back what ``run`` did, as far as it got; called in reverse order after a failure."""

    def close(self, run: Run) -> None:
        """Called at the end of every run in which ``run`` was entered, after any undoing."""
