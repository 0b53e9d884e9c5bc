"""One run at a time: a lock on every node that will change."""

from __future__ import annotations

import threading
from contextlib import suppress

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.container_engine import engine_of
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.errors import hint_for
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.process_identity import has_ended, process_identity
from oz_installer.errors import DeployError, LockedError, OzError
from oz_installer.remote.transport import CommandResult

REFRESH_SECONDS = commands.STALE_LOCK_MINUTES * 60 / 6
HELD, CHANGED = 5, 6


class Lock(Phase[NodesRun]):
    """Takes the locks first and gives them back last, whatever happens between."""

    title = "Lock the nodes"

    def __init__(self) -> None:
        self._held: dict[str, bool] = {}
        self._over = threading.Event()

    def should_run(self, run: NodesRun) -> bool:
        """Only where something changes."""
        return bool(run.changing)

    def run(self, run: NodesRun) -> None:
        """Raises LockedError naming the other run.

        The first node comes before the others, so that of two runs that begin at once one gets through.
        """
        engine_of(run).preload()
        first, others = run.changing[:1], run.changing[1:]
        run.each(first, lambda node: self._lock(run, node))
        run.each(others, lambda node: self._lock(run, node))
        threading.Thread(target=self._refresh, args=(run,), name="lock", daemon=True).start()

    def _lock(self, run: NodesRun, node: str) -> None:
        result = self._ask(run, node, dead="")
        said = _words(result)
        if result.status == HELD and has_ended(said.get("process", "")):
            run.log(f"took over the lock of a run that died: {result.stderr_text}", node, "warning")
            result = self._ask(run, node, dead=said["run"])
            said = _words(result)
        if result.status == HELD:
            raise LockedError(
                f"another run is at work on this node: {result.stderr_text}",
                "Wait for it to end. If it died: run again where it ran, which takes its lock over at once; "
                f"elsewhere wait {commands.STALE_LOCK_MINUTES} minutes, "
                f"or remove {run.settings.install_dir}/lock on the node.",
                node=node,
            )
        if result.status == CHANGED:
            raise LockedError(
                f"another run has changed this node since it was looked at: {result.stderr_text}",
                "Run again: it makes a new plan.",
                node=node,
            )
        if not result.ok:
            raise DeployError(
                f"cannot make the install folder {run.settings.install_dir}: {result.stderr_text}",
                hint_for(result.stderr_text),
                node=node,
            )
        self._held[node] = "made" in said

    def _ask(self, run: NodesRun, node: str, *, dead: str) -> CommandResult:
        argv = commands.lock(
            run.settings.install_dir,
            run.id,
            run.settings.owner,
            process=process_identity(),
            dead=dead,
            generation=run.facts[node].generation,
        )
        return run.gate.change(run.transports[node], "lock the node", argv)

    def _refresh(self, run: NodesRun) -> None:
        """While images come in slowly nothing else tells the nodes that this run is alive."""
        while not self._over.wait(REFRESH_SECONDS):
            for node in tuple(self._held):
                with suppress(OzError):
                    argv = commands.refresh_lock(run.settings.install_dir, run.id)
                    run.gate.change(run.transports[node], "keep the lock", argv)

    def close(self, run: NodesRun) -> None:
        """Give the locks back."""
        self._over.set()
        held, self._held = self._held, {}
        run.each(tuple(held), lambda node: self._unlock(run, node, held[node]))

    def _unlock(self, run: NodesRun, node: str, made: bool) -> None:
        argv = commands.unlock(run.settings.install_dir, run.id, made=made)
        run.gate.change(run.transports[node], "unlock the node", argv)


def _words(result: CommandResult) -> dict[str, str]:
    """What the node said, by the first word of each line."""
    pairs = (line.partition(" ") for line in result.text.splitlines())
    return {key: rest.strip() for key, _, rest in pairs}
