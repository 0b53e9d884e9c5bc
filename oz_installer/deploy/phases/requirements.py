"""What must be true of a node before anything is changed on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oz_installer.catalog.model import Oldest, load_release
from oz_installer.deploy.facts import Details, NodeFacts
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.run import Run
from oz_installer.errors import OzError, PreflightError
from oz_installer.remote.commands import ComposeTool, parse_version, pick_compose
from oz_installer.render.compose import PROJECT

NAMES = {"docker": ("Docker", "Docker Compose"), "podman": ("Podman", "podman-compose")}
DISK_FREE_MIB = 512  # of install_dir, for bundles and logs; data and images have checks of their own


class Requirements(Phase):
    """Engine and Compose are there, new enough and answer; the disk is not full."""

    title = "Check engines"
    harmless = True

    def should_run(self, run: Run) -> bool:
        """Only where something changes."""
        return bool(run.changing)

    def run(self, run: Run) -> None:
        """Raises PreflightError with every node's shortcomings; nothing was changed then."""
        require([run.facts[node] for node in run.changing], run.settings.engine, run.topology.release)
        for node in run.changing:
            run.compose[node] = compose_of(run.facts[node], run.settings.engine)


def require(facts: Iterable[NodeFacts], engine: str, release: str) -> None:
    """Raises PreflightError with all that the nodes lack for a release."""
    oldest = load_release(release).engines[engine]
    found = [problem for one in facts for problem in judge(one, engine, oldest)]
    if found:
        hints = dict.fromkeys(hint for _, hint in found)
        raise PreflightError("\n".join(text for text, _ in found), "\n      ".join(hints))


def compose_of(facts: NodeFacts, engine: str) -> ComposeTool:
    """The Compose that the node has; PreflightError when it has none."""
    details = facts.details
    tool = details and pick_compose(
        engine, plugin=details.compose_plugin, v1=details.compose_v1, podman_compose=details.podman_compose
    )
    if not tool:
        raise PreflightError("Compose is missing", node=facts.node)
    return tool


def judge(facts: NodeFacts, engine: str, oldest: Oldest) -> Iterator[tuple[str, str]]:
    """What a node lacks: message and hint."""
    details = facts.details
    if details is None:
        return
    if not facts.engine_ok:
        yield no_engine(facts, engine)
        return
    yield from _too_old(facts.node, NAMES[engine][0], details.engine_version, oldest.engine)
    yield from _compose(facts, engine, details, oldest.compose)
    if details.access != "ok":
        yield _no_access(facts.node, details.access)
        return
    yield from _strangers(facts)
    if 0 <= details.disk_free < DISK_FREE_MIB * 1024:
        free = details.disk_free // 1024
        yield (
            f"{facts.node}: the disk of the install folder has {free} MB free, {DISK_FREE_MIB} MB are needed",
            "Free some space on the node, or choose another install_dir.",
        )


def _no_access(node: str, access: str) -> tuple[str, str]:
    kind, _, folder = access.partition(" ")
    if kind == "read-only":
        return (
            f"{node}: {folder} is on a file system that is mounted read-only",
            "Mount it writable, or choose another install_dir.",
        )
    return (
        f"{node}: this login may not write {folder}",
        "Set become: sudo for the node, or give the login the right to write there.",
    )


def _strangers(facts: NodeFacts) -> Iterator[tuple[str, str]]:
    """Containers of a Compose project that is called as ours: they are never touched."""
    names = [name for name, there in facts.containers.items() if not there.digest]
    ours = [name for name, there in facts.containers.items() if there.digest]
    if names:
        yield (
            f"{facts.node}: a Compose project «{PROJECT}» runs there that oz-install did not start: "
            f"{', '.join(sorted(names)[:5])}",
            "If it is an older Oz installation, stop it with its own Compose file (down, not -v) first.",
        )
    elif ours and facts.record is None:
        yield (
            f"{facts.node}: an installation by oz-install runs there from another folder",
            "Set install_dir to the folder that it was installed to.",
        )


def no_engine(facts: NodeFacts, engine: str) -> tuple[str, str]:
    """Why an engine cannot be used: message and hint."""
    said = facts.engine_message.strip().replace("\n", " ")[:300]
    title = NAMES[engine][0]
    if "not found" in said:
        return (
            f"{facts.node}: {title} is not installed",
            f"Install {title} and its Compose on the node, then run again.",
        )
    if "permission denied" in said.lower():
        return (
            f"{facts.node}: this login may not use {title}: {said}",
            "Add it to the group docker, or set become: sudo for the node.",
        )
    return (
        f"{facts.node}: {title} does not answer: {said}",
        f"Start it (systemctl enable --now {engine}) and run again.",
    )


def _too_old(node: str, name: str, seen: str, oldest: str) -> Iterator[tuple[str, str]]:
    version, needed = parse_version(seen), parse_version(oldest)
    if needed is None:
        raise OzError(f"the catalogue's oldest {name}, {oldest!r}, is no version")
    if version is None:
        yield (
            f"{node}: cannot tell the version of {name}: {seen[:200]!r}",
            f"Is {name} installed and running?",
        )
    elif version < needed:
        yield f"{node}: {name} {seen} is too old, {oldest} or newer is needed", f"Upgrade {name} on the node."


def _compose(facts: NodeFacts, engine: str, details: Details, oldest: str) -> Iterator[tuple[str, str]]:
    tool = pick_compose(
        engine, plugin=details.compose_plugin, v1=details.compose_v1, podman_compose=details.podman_compose
    )
    name = NAMES[engine][1]
    if tool is None:
        yield f"{facts.node}: {name} is not installed", f"Install {name} on the node, then run again."
        return
    yield from _too_old(facts.node, name, ".".join(map(str, tool.version)), oldest)
