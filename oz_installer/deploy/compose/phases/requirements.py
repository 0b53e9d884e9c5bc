"""The requirements that a node must meet before it is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from oz_installer.catalog.engine import ENGINES
from oz_installer.catalog.release import MinimumVersions, load_release
from oz_installer.deploy.compose.facts import NodeDetails, NodeFacts
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.phase import Phase
from oz_installer.errors import PreflightError
from oz_installer.remote.docker_commands import ComposeTool
from oz_installer.remote.engine_requirements import (
    EngineFacts,
    UnmetRequirement,
    check_compose,
    check_disk,
    check_engine,
    check_folder,
    check_names,
    check_project,
    unmet,
)
from oz_installer.render.project import PROJECT
from oz_installer.topology.model import Topology


class CheckRequirements(Phase[NodesRun]):
    """Checks that engine and Compose work and are new enough, and that the disk has space."""

    title = "Check engines"
    read_only = True

    def should_run(self, run: NodesRun) -> bool:
        """Return whether something changes."""
        return bool(run.changing)

    def run(self, run: NodesRun) -> None:
        """Check the nodes that change. Raises PreflightError with every unmet requirement."""
        require_met([run.facts[node] for node in run.changing], run.settings.engine, run.topology)
        for node in run.changing:
            run.compose[node] = compose_of(run.facts[node], run.settings.engine)


def require_met(facts: Iterable[NodeFacts], engine: str, topology: Topology) -> None:
    """Raise PreflightError with every requirement of the release that a node does not meet."""
    oldest = load_release(topology.release).engines[engine]
    names = {node.name: node.container_names for node in topology.nodes}
    found = [
        problem
        for one in facts
        for problem in unmet_requirements(one, engine, oldest, names.get(one.node, ()))
    ]
    if found:
        hints = dict.fromkeys(hint for _, hint in found)
        raise PreflightError("\n".join(text for text, _ in found), "\n      ".join(hints))


def compose_of(facts: NodeFacts, engine: str) -> ComposeTool:
    """Return the Compose of the node. Raises PreflightError when it has none."""
    tool = facts.details and _engine(facts, facts.details).compose(engine)
    if not tool:
        raise PreflightError("Compose is missing", node=facts.node)
    return tool


def unmet_requirements(
    facts: NodeFacts, engine: str, oldest: MinimumVersions, names: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    """Yield message and hint of each requirement that the node does not meet.

    ``names`` are those of its containers."""
    if facts.details is not None:
        for one in _unmet(facts, facts.details, engine, oldest, names):
            yield f"{facts.node}: {one.message}", one.hint


def _unmet(
    facts: NodeFacts, details: NodeDetails, engine: str, oldest: MinimumVersions, names: Collection[str]
) -> Iterator[UnmetRequirement]:
    """Yield unmet requirements, without those that only follow from another one."""
    engine_facts = _engine(facts, details)
    yield from unmet(check_engine(engine_facts, ENGINES[engine], oldest.engine))
    if not engine_facts.answers:
        return
    yield from unmet(check_compose(engine_facts, ENGINES[engine], oldest.compose))
    if denied := check_folder(details.folder_access):
        yield denied
        return
    project = _project(facts)
    yield from unmet(project, None if project else check_names(details.foreign, names, engine))
    yield from unmet(check_disk(details.disk_free))


def _project(facts: NodeFacts) -> UnmetRequirement | None:
    unknown = [name for name, there in facts.containers.items() if not there.digest]
    ours = len(unknown) < len(facts.containers)
    return check_project(PROJECT, unknown, ours=ours, recorded=facts.record is not None)


def _engine(facts: NodeFacts, details: NodeDetails) -> EngineFacts:
    return EngineFacts(
        answers=facts.engine_ok,
        message=facts.engine_message,
        version=details.engine_version,
        compose_plugin=details.compose_plugin,
        compose_v1=details.compose_v1,
        podman_compose=details.podman_compose,
    )
