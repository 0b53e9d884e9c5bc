"""Remove the containers of services that are no longer part of a node."""

from __future__ import annotations

from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import ServiceState
from oz_installer.deploy.phase import Phase
from oz_installer.remote import docker_commands


class RemoveServices(Phase[NodesRun]):
    """Removes obsolete containers. Their volumes and data stay."""

    title = "Remove obsolete services"

    def should_run(self, run: NodesRun) -> bool:
        """Return whether a service is obsolete."""
        return any(_obsolete(run, node) for node in run.nodes)

    def run(self, run: NodesRun) -> None:
        """Stop and remove the containers."""
        run.each([node for node in run.nodes if _obsolete(run, node)], lambda node: self._remove(run, node))

    def _remove(self, run: NodesRun, node: str) -> None:
        names = _obsolete(run, node)
        run.touched.add(node)
        run.change(
            node, f"remove {', '.join(names)}", docker_commands.remove_containers(run.settings.engine, names)
        )
        for name in names:
            run.emit(ServiceState(node=node, service=name, state="removed"))


def _obsolete(run: NodesRun, node: str) -> tuple[str, ...]:
    return tuple(change.name for change in run.plan.of(node).services if change.action == "remove")
