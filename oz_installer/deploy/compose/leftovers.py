"""Find and remove the lock and the staged files that a dead run left on a node."""

from __future__ import annotations

import uuid

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.process_identity import has_ended, process_identity
from oz_installer.deploy.settings import RunSettings
from oz_installer.errors import DeployError
from oz_installer.remote.transport import Transport
from oz_installer.text import join_and


def has_died(facts: NodeFacts) -> bool:
    """Return whether the run that holds the lock has died, or has not refreshed it for long."""
    return facts.lock_stale or has_ended(facts.lock_process)


def leftovers_text(facts: NodeFacts) -> str:
    """Return what a dead run left on the node; empty: nothing, or its run may still be at work."""
    held = facts.lock or facts.lock_run
    if held and not has_died(facts):
        return ""
    parts = [f"the lock of {facts.lock or 'an unknown run'}"] if held else []
    parts += [f"generations/{name} with its secrets" for name in facts.partial]
    return join_and(parts) if parts else ""


def remove_leftovers(transport: Transport, facts: NodeFacts, settings: RunSettings) -> None:
    """Remove what a dead run left, under a lock.

    Raises DeployError, also when another run has just begun.
    """
    argv = commands.clear(
        settings.install_dir,
        uuid.uuid4().hex[:12],
        settings.owner,
        process=process_identity(),
        dead=facts.lock_run if has_ended(facts.lock_process) else "",
    )
    result = transport.run(argv)
    if not result.ok:
        raise DeployError(
            f"cannot remove what a run that died left: {result.stderr_text}",
            "Run oz-install again when no other run is at work.",
            node=facts.node,
        )
