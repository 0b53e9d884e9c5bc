"""The bundle of one node: its files and services, with digests that make a rerun cheap."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property

from oz_installer.answers.model import Answers
from oz_installer.catalog.release import Release, load_release
from oz_installer.catalog.service import Service, StartStage
from oz_installer.errors import FAULT_HINT, OzError
from oz_installer.frozen import dataclass
from oz_installer.render.compose import compose_file
from oz_installer.render.config import config_files
from oz_installer.render.data_locations import data_locations
from oz_installer.render.project import NODES_FILE, PROJECT
from oz_installer.render.rendering import RenderedFile
from oz_installer.secret import Secret
from oz_installer.topology.model import PlacedService, Topology, TopologyNode, Wiring
from oz_installer.topology.wiring import proxy_environment, wiring_for

COMPOSE_FILE = "compose.yaml"
JOBS_FILE = "jobs.yaml"


@dataclass(frozen=True, kw_only=True)
class BundleService:
    """A service of a node's bundle; the digest covers its definition and the files it reads.

    ``health_command`` is the health check as one line for the container's shell, empty if there is none;
    ``start_timeout`` is the longest time in seconds to become healthy; ``config_files`` are the files of the
    bundle whose change affects it; ``needs`` are long-running services of its node. ``serves``: users, other
    nodes or other services wait for its answers. ``fills``: where a job leaves its work on the node, as
    ``node.sh`` takes it.
    """

    name: str
    kind: str
    title: str
    image: str
    stage: StartStage
    job: bool
    health_command: str
    start_timeout: int
    digest: str
    config_files: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    serves: bool = False
    fills: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The bundle of one node: files sorted by path, services in the order of their start.

    ``data`` are the locations of the API's data (``database``, ``media``), on nodes that run the API.
    """

    node: str
    release: str
    files: tuple[RenderedFile, ...]
    services: tuple[BundleService, ...]
    folders: tuple[str, ...]
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The node: targets of Compose are nodes."""
        return self.node

    @property
    def digest(self) -> str:
        """SHA-256 over paths, modes and contents, hexadecimal."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        lines = [f"{file.path} {file.mode:o} {file.digest}" for file in self.files]
        return _sha256("\n".join((*lines, *self.folders)))

    @property
    def jobs(self) -> tuple[BundleService, ...]:
        """Services that run once."""
        return tuple(service for service in self.services if service.job)

    @property
    def long_running(self) -> tuple[BundleService, ...]:
        """Services that keep running."""
        return tuple(service for service in self.services if not service.job)

    @property
    def images(self) -> tuple[str, ...]:
        """Images without duplicates, in the order of first use."""
        return tuple(dict.fromkeys(service.image for service in self.services))


def render(
    answers: Answers, topology: Topology, secrets: Mapping[str, Secret], local_files: Mapping[str, bytes]
) -> tuple[Bundle, ...]:
    """Render every node's bundle.

    ``local_files`` are the contents of the workstation's files that services mount, by the mount's source:
    ``licence:bio``, ``ca:database``.
    """
    return tuple(_render_node(answers, topology, node, secrets, local_files) for node in topology.nodes)


def _render_node(
    answers: Answers,
    topology: Topology,
    node: TopologyNode,
    secrets: Mapping[str, Secret],
    local_files: Mapping[str, bytes],
) -> Bundle:
    wiring = wiring_for(answers, topology, node)
    release = load_release(answers.release)
    context = compose_file.ComposeContext(
        engine=topology.engine,
        install_dir=answers.install_dir,
        storage=answers.storage,
        names=_names(wiring, secrets),
        proxy=proxy_environment(answers, topology),
        network=answers.network,
        unhardened=answers.unhardened,
    )
    mounted = [*_config_files(node, wiring, secrets, topology), *_mounted_local_files(node, local_files)]
    contents = {file.path: file.digest for file in mounted}
    definitions = {
        placed.name: compose_file.service_definition(placed, node, release, context)
        for placed in node.services
    }
    services = tuple(
        _service(placed, node, definitions[placed.name], contents, context) for placed in node.services
    )
    for service in services:
        definitions[service.name]["labels"] = compose_file.labels(service.digest)
    files = [*mounted, *_compose_files(node, definitions, context, release), _nodes_file(topology)]
    return Bundle(
        node=node.name,
        release=answers.release,
        files=tuple(sorted(files, key=lambda file: file.path)),
        services=services,
        folders=compose_file.folders(node, context),
        data=data_locations(answers) if "api" in node.roles else {},
    )


def _nodes_file(topology: Topology) -> RenderedFile:
    nodes = {"nodes": {node.name: node.host for node in topology.nodes}}
    return RenderedFile(path=NODES_FILE, content=f"{json.dumps(nodes, indent=1)}\n".encode())


def _config_files(
    node: TopologyNode, wiring: Wiring, secrets: Mapping[str, Secret], topology: Topology
) -> Iterator[RenderedFile]:
    for path, file in config_files(node, wiring, secrets, topology).items():
        yield RenderedFile(path=path, content=file.text.encode(), secret=file.secret)


def _compose_files(
    node: TopologyNode,
    definitions: Mapping[str, compose_file.Definition],
    context: compose_file.ComposeContext,
    release: Release,
) -> Iterator[RenderedFile]:
    """Yield the Compose files: services and jobs apart, so that ``up`` starts no job."""
    for path, job in ((COMPOSE_FILE, False), (JOBS_FILE, True)):
        chosen = {p.name: definitions[p.name] for p in node.services if p.service.job is job}
        if chosen:
            text = compose_file.compose_yaml(node, chosen, context, release)
            yield RenderedFile(path=path, content=text.encode(), secret=True)


def _service(
    placed: PlacedService,
    node: TopologyNode,
    definition: compose_file.Definition,
    contents: Mapping[str, str],
    context: compose_file.ComposeContext,
) -> BundleService:
    """Return a service with its digest; ``contents`` are digests of mounted files by path."""
    kind, reads = placed.service, _reads(placed, contents)
    return BundleService(
        name=placed.name,
        kind=kind.name,
        title=kind.title,
        image=str(definition["image"]),
        stage=kind.stage,
        job=kind.job,
        health_command=compose_file.check_command(placed, context),
        start_timeout=compose_file.start_timeout(kind),
        digest=_service_digest(_watched(placed, definition), reads, contents),
        config_files=reads,
        needs=compose_file.needed(kind, node),
        serves=_serves(placed, node),
        fills=_fills(kind, node),
    )


def _fills(job: Service, node: TopologyNode) -> tuple[str, ...]:
    """Return the folder that a job fills, or the container with its volume and identity.

    Empty when that is elsewhere, such as an external database.
    """
    kind, _, name = (job.fills or "").partition(":")
    if kind == "data":
        return ("folder", f"data/{name}")
    for placed in node.services:
        if placed.service.identity and any(mount.source == job.fills for mount in placed.service.mounts):
            return ("container", placed.name, f"{PROJECT}_{name}", placed.service.identity)
    return ()


def _serves(placed: PlacedService, node: TopologyNode) -> bool:
    """Return whether others wait for its answers; monitoring only asks again."""
    asked = any(client != "monitoring" for port in placed.ports for client in port.clients)
    return asked or any(placed.service.name in other.service.needs for other in node.services)


def _mounted_local_files(node: TopologyNode, local_files: Mapping[str, bytes]) -> Iterable[RenderedFile]:
    """Yield the licences and authorities that the node's services mount."""
    wanted = {
        mount.source: compose_file.bundle_path(mount)
        for placed in node.services
        for mount in placed.service.mounts
        if mount.source.startswith(("licence:", "ca:"))
    }
    for key, path in sorted(wanted.items()):
        if key not in local_files:
            raise OzError(f"the file {key!r} was not read", FAULT_HINT)
        yield RenderedFile(path=path, content=local_files[key], secret=not key.startswith("ca:"))


def _names(wiring: Wiring, secrets: Mapping[str, Secret]) -> Mapping[str, object]:
    """Return the values of ``{name}`` in strings of the catalogue."""
    revealed = {f"secret_{key.replace('.', '_')}": value.reveal() for key, value in secrets.items()}
    return {**wiring.values, **revealed}


def _reads(placed: PlacedService, contents: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files of the bundle that a service mounts and watches."""
    paths = [compose_file.bundle_path(mount) for mount in placed.service.mounts if mount.watch]
    return tuple(path for path in paths if path in contents)


def _watched(placed: PlacedService, definition: compose_file.Definition) -> Mapping[str, object]:
    """Return the part of a definition that the digest covers; the environment of a one-time job."""
    return {"environment": definition.get("environment")} if placed.service.once else definition


def _service_digest(
    definition: Mapping[str, object], paths: Iterable[str], contents: Mapping[str, str]
) -> str:
    read = [f"{path} {contents[path]}" for path in paths]
    return _sha256("\n".join((json.dumps(definition, sort_keys=True), *read)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
