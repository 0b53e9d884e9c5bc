"""Compose files for the services of the catalogue.

The file is dumped by a YAML library from plain data, never written as text, so that an answer is always a
value. Compose's own interpolation is disabled by doubling every ``$``. Only features that Compose 1.27, the
plugin and podman-compose 1.2 all support are used.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from pathlib import PurePosixPath
from typing import Any

import yaml

from oz_installer.answers.network import Network
from oz_installer.answers.sections import Storage
from oz_installer.catalog.engine import ENGINES
from oz_installer.catalog.release import Release
from oz_installer.catalog.service import HealthCheck, Mount, Port, Service
from oz_installer.frozen import dataclass
from oz_installer.render.mounts import nfs_options
from oz_installer.render.network import DEFAULT, network_key, network_options
from oz_installer.render.project import DIGEST_LABEL
from oz_installer.topology.model import PlacedService, TopologyNode
from oz_installer.topology.wiring import NO_PROXY

CURRENT = "current"
HEADER = "# Made by oz-install for {node}. Do not edit: change answers.yml and run oz-install again.\n"
STOP_GRACE = "30s"

Definition = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ComposeContext:
    """Values that a node's services share; ``proxy`` is the environment of those with egress.

    ``unhardened``: names of services without the release's limits.
    """

    engine: str
    install_dir: str
    storage: Storage
    names: Mapping[str, object] = field(repr=False)
    proxy: Mapping[str, str] = field(default_factory=dict)
    network: Network = field(default_factory=Network)
    unhardened: Collection[str] = ()


class _Exact(str):
    """A string that is always quoted in YAML, so that no parser reads a number or boolean."""

    __slots__ = ()


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Dumps _Exact in double quotes and never uses aliases."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


_Dumper.add_representer(
    _Exact, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style='"')
)


def service_definition(
    placed: PlacedService, node: TopologyNode, release: Release, context: ComposeContext
) -> Definition:
    """Return the Compose definition of one service, without labels."""
    service = placed.service
    names = {**context.names, "queue": service.queue or ""}
    definition: Definition = {"image": ENGINES[context.engine].image_name(placed.image)}
    if not service.job:
        definition["container_name"] = placed.name
        definition["hostname"] = f"{node.name}-{placed.name}".replace("_", "-")[:63]
        definition["restart"] = _restart(release, context.engine)
        definition["stop_grace_period"] = STOP_GRACE
    if service.user:
        definition["user"] = service.user
    if service.entrypoint:
        definition["entrypoint"] = [_fill(part, names) for part in service.entrypoint]
    if service.shell:
        definition["command"] = ["bash", "-c", _fill(service.shell, names)]
    elif service.command:
        definition["command"] = [_fill(part, names) for part in service.command]
    environment = {key: _fill(value, names) for key, value in service.environment.items()}
    environment |= {mount.variable: mount.target for mount in service.mounts if mount.variable}
    definition["environment"] = {**environment, **(context.proxy if service.egress else NO_PROXY)}
    if service.mounts:
        definition["volumes"] = [_volume(mount, context) for mount in service.mounts]
    if ports := _ports(placed.ports):
        definition["ports"] = ports
    if (network := network_key(context.network)) != DEFAULT:
        definition["networks"] = [network]
    if service.health:
        definition["healthcheck"] = _health(service.health, names)
    if service.name not in context.unhardened:
        definition |= _hardening(release, context.engine)
    definition |= _limits(service)
    # jobs have a file of their own, which defines no service
    if ENGINES[context.engine].keeps_dependencies and not service.job and (before := needed(service, node)):
        definition["depends_on"] = list(before)
    definition["logging"] = _logging(release, context.engine)
    return definition


def _hardening(release: Release, engine: str) -> Definition:
    """Return the limits of what a container's processes may do."""
    limits = release.hardening
    found: Definition = {}
    if limits.security_opt:
        found["security_opt"] = list(limits.security_opt)
    if limits.cap_drop:
        found["cap_drop"] = list(limits.cap_drop)
    if limits.pids_limit and not ENGINES[engine].limits_processes:
        found["pids_limit"] = limits.pids_limit
    return found


def _limits(service: Service) -> Definition:
    """Return the limits of a service of its own: memory, open files."""
    found: Definition = {"mem_limit": f"{service.memory_mb}m"} if service.memory_mb else {}
    if service.open_files:
        found["ulimits"] = {"nofile": service.open_files}
    return found


def _restart(release: Release, engine: str) -> str:
    return ENGINES[engine].restart.get(release.restart, release.restart)


def needed(service: Service, node: TopologyNode) -> tuple[str, ...]:
    """Return the long-running services of the node that a service needs."""
    return tuple(
        other.name
        for need in service.needs
        for other in node.services
        if other.service.name == need and not other.service.job
    )


def check_command(placed: PlacedService, context: ComposeContext) -> str:
    """Return the health check as one line for the container's shell; empty if there is none."""
    if placed.service.health is None:
        return ""
    names = {**context.names, "queue": placed.service.queue or ""}
    kind, *words = _health(placed.service.health, names)["test"]
    return words[0] if kind == "CMD-SHELL" else shlex.join(words)


def labels(digest: str) -> dict[str, str]:
    """Return labels that tie a container to the definition and files it was created from."""
    return {DIGEST_LABEL: digest}


def compose_yaml(
    node: TopologyNode, definitions: Mapping[str, Definition], context: ComposeContext, release: Release
) -> str:
    """Return the Compose file as text; the same answers give the same bytes."""
    content: dict[str, Any] = {"services": {name: _exact(definitions[name]) for name in definitions}}
    used = [volume.split(":")[0] for d in definitions.values() for volume in d.get("volumes", ())]
    named = {name: _volume_options(name, context) for name in sorted(set(used)) if not name.startswith("/")}
    if named:
        content["volumes"] = named
    if options := network_options(context.network, context.engine):
        content["networks"] = {network_key(context.network): _exact(options)}
    titles = {placed.name: placed.service.title for placed in node.services}
    body = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 20)
    for name in definitions:
        body = body.replace(f"\n  {name}:\n", f"\n  # {titles[name]}\n  {name}:\n", 1)
    return f"{HEADER.format(node=node.name)}# {release.title}\n{body}"


def folders(node: TopologyNode, context: ComposeContext) -> tuple[str, ...]:
    """Return the folders below install_dir that must exist before services start."""
    wanted = set()
    for placed in node.services:
        for mount in placed.service.mounts:
            kind, _, name = mount.source.partition(":")
            if kind == "data":
                wanted.add(f"data/{name}")
            elif kind == "media" and context.storage.type == "local":
                wanted.add("data/media")
    return tuple(sorted(wanted))


def start_timeout(service: Service) -> int:
    """Return the longest time to become healthy, in seconds: start period and all retries."""
    health = service.health
    return health.start_period + health.retries * (health.interval + health.timeout) if health else 60


def bundle_path(mount: Mount) -> str:
    """Return the bundle path of a mount's source, or the source if it is not in the bundle.

    A licence has the file name that its service expects.
    """
    kind, _, name = mount.source.partition(":")
    if kind == "ca":
        return f"config/{name}-ca.pem"
    return f"licence/{PurePosixPath(mount.target).name}" if kind == "licence" else mount.source


def _fill(text: str, names: Mapping[str, object]) -> str:
    return text.format_map(names) if "{" in text else text


def _volume(mount: Mount, context: ComposeContext) -> str:
    options = "" if mount.writable else ":ro"
    kind, _, name = mount.source.partition(":")
    current = f"{context.install_dir}/{CURRENT}"
    if kind == "volume":
        return f"{name}:{mount.target}{options}"
    if kind == "data":
        return f"{context.install_dir}/data/{name}:{mount.target}{options}"
    if kind == "media":
        return f"{_media(context)}:{mount.target}{options}"
    return f"{current}/{bundle_path(mount)}:{mount.target}{options}"


def _media(context: ComposeContext) -> str:
    if context.storage.type == "path":
        return str(context.storage.path)
    if context.storage.type == "nfs":
        return _nfs_name(context.storage)
    return f"{context.install_dir}/data/media"


def _nfs_name(storage: Storage) -> str:
    """Return a volume name that depends on the options, since engines never change a volume."""
    text = f"{storage.server}:{storage.export}:{storage.options}"
    return f"media-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _volume_options(name: str, context: ComposeContext) -> dict[str, Any]:
    if not name.startswith("media-"):
        return {}
    options = nfs_options(context.storage)
    return {"driver": "local", "driver_opts": {name: _doubled(value) for name, value in options.items()}}


def _ports(ports: Iterable[Port]) -> list[str]:
    found = []
    for port in ports:
        if port.last is None:
            found.append(f"{port.host}:{port.container}")
        else:
            width = port.last - port.host
            found.append(f"{port.host}-{port.last}:{port.container}-{port.container + width}")
    return found


def _health(health: HealthCheck, names: Mapping[str, object]) -> Definition:
    if health.get:
        url = _fill(health.get, names)
        test = ["CMD-SHELL", f"curl -fsS -o /dev/null {url} || wget -qO /dev/null {url}"]
    elif health.shell:
        test = ["CMD-SHELL", _fill(health.shell, names)]
    else:
        test = ["CMD", *health.argv]
    return {
        "test": test,
        "interval": f"{health.interval}s",
        "timeout": f"{health.timeout}s",
        "retries": health.retries,
        "start_period": f"{health.start_period}s",
    }


def _logging(release: Release, engine: str) -> Definition:
    if driver := ENGINES[engine].log_driver:
        return {"driver": driver, "options": {"max-size": release.log_options["max-size"]}}
    return {"driver": release.log_driver, "options": dict(release.log_options)}


def _doubled(text: str) -> str:
    return text.replace("$", "$$")


def _exact(value: Any) -> Any:
    """Return a value with every ``$`` doubled and every string quoted."""
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return _Exact(_doubled(value)) if isinstance(value, str) else value
