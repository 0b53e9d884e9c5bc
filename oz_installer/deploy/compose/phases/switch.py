"""Make the staged generation the current one, atomically on each node."""

from __future__ import annotations

from collections.abc import Sequence

from oz_installer.deploy.compose import cleanup_commands
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.phases.stage import staging
from oz_installer.deploy.compose.restore import restore_services
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.phase import Phase
from oz_installer.remote import docker_commands as engine_commands
from oz_installer.render.project import PROJECT


class Switch(Phase[NodesRun]):
    """Switches atomically: a kill at any moment leaves the old or the new generation."""

    title = "Switch to the new files"

    def __init__(self) -> None:
        self._entered: set[str] = set()

    def should_run(self, run: NodesRun) -> bool:
        """Return whether a generation was staged."""
        return bool(staging(run))

    def run(self, run: NodesRun) -> None:
        """Point ``current`` at the staged generation."""
        run.each(staging(run), lambda node: self._switch(run, node))

    def _switch(self, run: NodesRun, node: str) -> None:
        self._entered.add(node)
        argv = commands.switch(run.settings.install_dir, run.id, run.generations[node])
        run.change(node, "switch to the new files", argv)

    def undo(self, run: NodesRun) -> None:
        """Restore the previous generation and its services; without one, remove the new services."""
        run.each([n for n in run.nodes if n in self._entered], lambda node: self._switch_back(run, node))

    def _remove(self, run: NodesRun, node: str, down: Sequence[str]) -> None:
        """Remove the new services, at the second try where the first fails.

        The container of a job whose run was lost removes itself meanwhile, which makes Compose fail."""
        what = "remove the new services"
        if not run.try_change(node, what, down).ok:
            run.change(node, what, down)

    def _switch_back(self, run: NodesRun, node: str) -> None:
        folder, tool = run.settings.install_dir, run.compose[node]
        facts = run.facts[node]
        previous = facts.generation
        if not previous and not run.fallback(node) and run.bundles[node].long_running:
            known = facts.details.volumes if facts.details else frozenset()
            down = engine_commands.compose_down(tool, PROJECT, folder, volumes=not known)
            # after a failed switch there is no Compose file to take down
            guarded = cleanup_commands.if_exists(f"{folder}/{engine_commands.SERVICES_FILE}", down)
            self._remove(run, node, guarded)
        back = commands.switch_back(folder, run.id, run.generations[node], previous)
        run.change(node, "switch back to the previous files", back)
        if run.fallback(node):
            return  # the phase FallBack goes on from here
        if previous:
            restore_services(run, node, facts)
            run.log("rolled back: the previous files are in place and the previous services run", node)
        else:
            left = "only pulled images are left" if run.plan.of(node).images else "nothing is left"
            run.log(f"rolled back: {left} on the node", node)
