"""Lock every node that will change, so that only one run changes it at a time."""

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
    """Takes the locks first and releases them last, also after a failure."""

    title = "Lock the nodes"

    def __init__(self) -> None:
        self._held: list[str] = []
        self._over = threading.Event()

    def should_run(self, run: NodesRun) -> bool:
        """Return whether something changes."""
        return bool(run.changing)

    def run(self, run: NodesRun) -> None:
        """Lock the nodes. Raises LockedError naming the other run.

        The first node is locked before the others, so that of two runs that begin together one succeeds.
        """
        engine_of(run).preload()
        first, others = run.changing[:1], run.changing[1:]
        run.each(first, lambda node: self._lock(run, node))
        run.each(others, lambda node: self._lock(run, node))
        threading.Thread(target=self._refresh, args=(run,), name="lock", daemon=True).start()

    def _lock(self, run: NodesRun, node: str) -> None:
        self._held.append(node)  # before: the connection may be lost when the node has answered
        result = self._take(run, node)
        if not result.ok:
            self._held.remove(node)
            raise _refusal(run, node, result)
        if "over" in _by_first_word(result):
            run.log(f"took over the lock of a run that died: {run.facts[node].lock}", node, "warning")

    def _take(self, run: NodesRun, node: str) -> CommandResult:
        facts = run.facts[node]
        argv = commands.lock(
            run.settings.install_dir,
            run.id,
            run.settings.owner,
            process=process_identity(),
            dead=facts.lock_run if has_ended(facts.lock_process) else "",
            seen=(facts.generation, facts.journal),
        )
        return run.gate.change(run.transports[node], "lock the node", argv, housekeeping=True)

    def _refresh(self, run: NodesRun) -> None:
        """Refresh the locks until the run ends: a slow pull alone would let them become stale."""
        while not self._over.wait(REFRESH_SECONDS):
            for node in tuple(self._held):
                with suppress(OzError):
                    argv = commands.refresh_lock(run.settings.install_dir, run.id)
                    run.gate.change(run.transports[node], "keep the lock", argv, housekeeping=True)

    def close(self, run: NodesRun) -> None:
        """Release the locks."""
        self._over.set()
        held, self._held = self._held, []
        run.each(held, lambda node: self._unlock(run, node))

    def _unlock(self, run: NodesRun, node: str) -> None:
        argv = commands.unlock(run.settings.install_dir, run.id)
        run.gate.change(run.transports[node], "unlock the node", argv, housekeeping=True)


def _refusal(run: NodesRun, node: str, result: CommandResult) -> OzError:
    """Return why the lock cannot be taken."""
    reason, again = result.stderr_text, "Run oz-install again to make a new plan."
    if result.status == HELD and has_ended(_by_first_word(result).get("process", "")):
        return LockedError(
            f"another run was changing this node and has just died: {reason}", again, node=node
        )
    if result.status == HELD:
        return LockedError(
            f"another run is changing this node: {reason}",
            "Wait for it to end. If it died, run again on the same workstation to take over its lock "
            f"at once; on another one wait {commands.STALE_LOCK_MINUTES} minutes, "
            f"or remove {run.settings.install_dir}/lock on the node.",
            node=node,
        )
    if result.status == CHANGED:
        return LockedError(
            f"another run has changed this node since its facts were read: {reason}", again, node=node
        )
    return DeployError(
        f"cannot create the install folder {run.settings.install_dir}: {reason}", hint_for(reason), node=node
    )


def _by_first_word(result: CommandResult) -> dict[str, str]:
    """Return the lines of the output by their first word."""
    pairs = (line.partition(" ") for line in result.text.splitlines())
    return {key: rest.strip() for key, _, rest in pairs}
