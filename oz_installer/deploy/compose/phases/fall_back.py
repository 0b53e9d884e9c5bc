"""Go back to the last verified generation after an earlier run died behind its switch."""

from __future__ import annotations

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.restore import as_verified, restore_services
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.record import parse_record
from oz_installer.errors import DeployError


class FallBack(Phase[NodesRun]):
    """Changes nothing; but its undo goes back further than to what this run found."""

    title = "Find the last verified generation"

    def should_run(self, run: NodesRun) -> bool:
        """Return whether a node has a generation that was never verified, and one that was."""
        return bool(_falling_back(run))

    def run(self, run: NodesRun) -> None:
        """Report what a failure goes back to."""
        for node in _falling_back(run):
            facts = run.facts[node]
            text = f"an earlier run died before it had verified the generation {facts.generation}"
            run.log(f"{text}; a failure goes back to {facts.good}", node, "warning")

    def undo(self, run: NodesRun) -> None:
        """Restore the verified generation and its services."""
        run.each(_falling_back(run), lambda node: self._back(run, node))

    def _back(self, run: NodesRun, node: str) -> None:
        folder, facts = run.settings.install_dir, run.facts[node]
        record = parse_record(run.transports[node].run(commands.print_record(folder, facts.good)).text)
        if record is None:
            raise DeployError(f"the generation {facts.good} has no record", node=node)
        back = commands.switch_back(folder, run.id, facts.generation, facts.good)
        run.change(node, f"switch back to the generation {facts.good}", back)
        restore_services(run, node, as_verified(facts, record))
        run.log(f"rolled back: the generation {facts.good}, which was verified last, runs again", node)


def _falling_back(run: NodesRun) -> tuple[str, ...]:
    return tuple(node for node in run.changing if run.fallback(node))
