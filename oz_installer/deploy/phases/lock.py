"""One run at a time: a lock on every node that will change."""

from __future__ import annotations

from oz_installer.deploy import engines
from oz_installer.deploy import node as commands
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.run import Run, hint_for
from oz_installer.errors import DeployError, LockedError


class Lock(Phase):
    """Takes the locks first and gives them back last, whatever happens between."""

    title = "Lock the nodes"

    def __init__(self) -> None:
        self._held: dict[str, bool] = {}

    def should_run(self, run: Run) -> bool:
        """Only where something changes."""
        return bool(run.changing)

    def run(self, run: Run) -> None:
        """Raises LockedError naming the other run."""
        if run.settings.engine == "docker":
            engines.warm_up()
        run.each(run.changing, lambda node: self._lock(run, node))

    def _lock(self, run: Run, node: str) -> None:
        argv = commands.lock(run.settings.install_dir, run.id, run.settings.owner)
        result = run.gate.change(run.transports[node], "lock the node", argv)
        if result.status == 5:
            raise LockedError(
                f"another run is at work on this node: {result.errors}",
                "Wait for it to end. If it died, its lock is taken over after "
                f"{commands.STALE_LOCK_MINUTES} minutes, or remove {run.settings.install_dir}/lock there.",
                node=node,
            )
        if not result.ok:
            raise DeployError(
                f"cannot make the install folder {run.settings.install_dir}: {result.errors}",
                hint_for(result.errors),
                node=node,
            )
        self._held[node] = "made" in result.text

    def close(self, run: Run) -> None:
        """Give the locks back."""
        held, self._held = self._held, {}
        run.each(tuple(held), lambda node: self._unlock(run, node, held[node]))

    def _unlock(self, run: Run, node: str, made: bool) -> None:
        argv = commands.unlock(run.settings.install_dir, run.id, made=made)
        run.gate.change(run.transports[node], "unlock the node", argv)
