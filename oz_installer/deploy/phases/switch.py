"""Makes the staged generation the current one, in one step a node."""

from __future__ import annotations

from oz_installer.deploy import node as commands
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.phases.stage import staging
from oz_installer.deploy.run import Run
from oz_installer.remote import commands as engine_commands
from oz_installer.render.compose import PROJECT


class Switch(Phase):
    """A kill at any instant leaves the old or the new generation, never half."""

    title = "Switch to the new files"

    def __init__(self) -> None:
        self._switched: set[str] = set()

    def should_run(self, run: Run) -> bool:
        """Only where something was staged."""
        return bool(staging(run))

    def run(self, run: Run) -> None:
        """Point ``current`` at the staged generation."""
        run.each(staging(run), lambda node: self._switch(run, node))

    def _switch(self, run: Run, node: str) -> None:
        self._switched.add(node)
        argv = commands.switch(run.settings.install_dir, run.id, run.generations[node])
        run.change(node, "switch to the new files", argv)

    def undo(self, run: Run) -> None:
        """Point back at what was there and let it run again, or remove what there was not."""
        run.each(tuple(sorted(self._switched)), lambda node: self._back(run, node))

    def _back(self, run: Run, node: str) -> None:
        folder, tool = run.settings.install_dir, run.compose[node]
        facts = run.facts[node]
        previous = facts.generation
        if not previous and run.bundles[node].running:
            known = facts.details.volumes if facts.details else frozenset()
            down = engine_commands.compose_down(tool, PROJECT, folder, volumes=not known)
            run.change(node, "remove the services again", down)
        back = commands.back(folder, run.id, run.generations[node], previous)
        run.change(node, "switch back to the previous files", back)
        if previous and facts.record:
            names = [name for name in facts.record.services if name in facts.containers]
            up = engine_commands.compose_up(tool, PROJECT, folder, names)
            run.change(node, "start the previous services again", up)
