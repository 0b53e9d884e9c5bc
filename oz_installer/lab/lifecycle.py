"""Create, remove and inspect a lab: ``lab up``, ``lab down`` and ``lab status``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import TypeVar

from oz_installer.answers.local_files import write_private
from oz_installer.errors import PreflightError
from oz_installer.lab import engine, files, images, nodes
from oz_installer.lab.archive import Archive
from oz_installer.lab.database import database_answers, ensure_database
from oz_installer.lab.docker import docker, inspect, labelled, run
from oz_installer.lab.options import (
    DEFAULT_NAME,
    DEFAULT_SUBNET,
    FOLDER_LABEL,
    Lab,
    LabNode,
    LabOptions,
    Say,
    cache_folder,
    choose_subnet,
    lab_directory,
)
from oz_installer.lab.seed import SEED_LABEL, ensure_seed
from oz_installer.lab.seed import plant as seed_plant
from oz_installer.lab.standin_images import RABBITMQ, STAND_INS

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class LabContainer:
    """One container of the lab: a node or the database server."""

    name: str
    container: str
    address: str
    state: str
    ready: bool
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class LabStatus:
    """State of a lab; ``parts`` is empty when there is none."""

    lab: Lab
    parts: tuple[LabContainer, ...]

    @property
    def ready(self) -> bool:
        return bool(self.parts) and all(part.ready for part in self.parts)


def up(options: LabOptions) -> Lab:
    """Create the lab or what is missing of it; return its names and folders.

    Raises PreflightError when this machine cannot run it, DeployError when a step fails.
    """
    began = time.monotonic()
    engine.ensure_tools(options.say)
    with images.locked(f"lab-{options.name}"):
        with ThreadPoolExecutor(2) as pool:
            building = pool.submit(images.ensure_node_image, options.suite, options.say)
            archives = [Archive(STAND_INS, *images.standin_root("standins", options.say))]
            if "rabbitmq" in options.extras:
                archives.append(Archive((RABBITMQ,), *images.standin_root("rabbitmq", options.say)))
            node_image = building.result()
        lab = _ensure_network(options)
        changed = _ensure_parts(lab, options, node_image, archives)
        _write_files(lab, options.nodes)
    seconds = time.monotonic() - began
    state = f"is up after {seconds:.0f} s" if changed else "was up already; nothing to do"
    options.say(f"The lab {lab.name!r} with {options.nodes} nodes {state}. Answers: {lab.answers}")
    return lab


def down(name: str = DEFAULT_NAME, *, directory: Path | None = None, say: Say = print) -> bool:
    """Remove all that belongs to the lab, cgroups and files included; return whether it existed."""
    if not engine.engine_answers():
        raise PreflightError("no Docker Engine answers on this machine", "start it: the lab runs in it")
    lab = find(name, directory)
    containers = labelled("container", lab.label)
    volumes = labelled("volume", lab.label)
    networks = labelled("network", lab.label)
    if containers:
        say(f"Removing {', '.join(containers)} ...")
        docker("rm", "--force", "--volumes", *containers)
    if volumes:
        docker("volume", "rm", "--force", *volumes)
    if networks:
        docker("network", "rm", *networks)
    for container in containers:
        nodes.remove_cgroups(f"/{container}")
    files.remove(lab)
    found = bool(containers or volumes or networks)
    say(f"The lab {name!r} is down." if found else f"There is no lab {name!r}.")
    return found


def remove_cache(say: Say = print) -> None:
    """Remove images, seeds and archives, which labs share and can build again. Labs stay."""
    for volume in labelled("volume", SEED_LABEL):
        docker("volume", "rm", volume)
    for image in docker("image", "ls", "--filter", "reference=oz-lab-*", "--format", "{{.ID}}").out.split():
        docker("image", "rm", "--force", image, check=False)  # a lab may still run it
    for archive in cache_folder().glob("oz-lab-*.*"):
        if archive.suffix in (".tar", ".sha256"):
            archive.unlink()
    say("Images, seeds and archives of the labs are removed; the next «lab up» builds them again.")


def status(name: str = DEFAULT_NAME, *, directory: Path | None = None) -> LabStatus:
    """Return the lab's state: the database server first, then the nodes."""
    lab = find(name, directory)
    names = labelled("container", lab.label) if engine.engine_answers() else []
    with ThreadPoolExecutor(8) as pool:
        return LabStatus(lab=lab, parts=tuple(pool.map(lambda container: _part(lab, container), names)))


def find(name: str = DEFAULT_NAME, directory: Path | None = None) -> Lab:
    """Return the lab of that name with the subnet that it has or would get."""
    network = inspect("network", f"oz-lab-{name}") if engine.engine_answers() else None
    known = network["Labels"].get(FOLDER_LABEL) if network else None
    folder = lab_directory(name, directory or (Path(known) if known else None))
    subnet = IPv4Network(network["IPAM"]["Config"][0]["Subnet"]) if network else DEFAULT_SUBNET
    return Lab(name=name, directory=folder, subnet=subnet)


def _part(lab: Lab, container: str) -> LabContainer:
    found = inspect("container", container)
    state = found["State"]["Status"] if found else "gone"
    network = found["NetworkSettings"]["Networks"].get(lab.network) if found else None
    name = container.removeprefix(f"{lab.prefix}-")
    ready, detail = False, ""
    if state == "running" and name == "db":
        ready, detail = database_answers(lab), "PostgreSQL"
    elif state == "running":
        version = nodes.engine_version(lab.node(int(name.removeprefix("node"))))
        ready, detail = version is not None, f"Docker {version}" if version else "engine does not answer"
    address = str(network["IPAddress"]) if network else ""
    return LabContainer(
        name=name, container=container, address=address, state=state, ready=ready, detail=detail
    )


def _ensure_network(options: LabOptions) -> Lab:
    """Create the lab's network and share unless they exist."""
    lab = find(options.name, options.directory)
    if not lab.key.is_file() and labelled("container", lab.label):
        raise PreflightError(
            f"the key of the lab {lab.name!r} is missing from {lab.directory}, but its nodes exist",
            "run «lab down», then «lab up» again",
        )
    if inspect("network", lab.network):
        if options.subnet not in (None, lab.subnet):
            raise PreflightError(
                f"the lab {lab.name!r} already has the subnet {lab.subnet}", "run «lab down» first"
            )
    else:
        with images.locked("subnets"):
            subnet = options.subnet or choose_subnet(options.name, _taken_subnets())
            lab = Lab(name=lab.name, directory=lab.directory, subnet=subnet)
            labels = ["--label", lab.label, "--label", f"{FOLDER_LABEL}={lab.directory}"]
            docker("network", "create", *labels, "--subnet", str(subnet), lab.network)
    if not inspect("volume", lab.share):
        docker("volume", "create", "--label", lab.label, lab.share)
    return lab


def _taken_subnets() -> Iterable[IPv4Network]:
    """Yield the networks that this machine has routes to, Docker's own included once created."""
    for route in json.loads(run(["ip", "-json", "-4", "route", "show"]).out or "[]"):
        if route.get("dst", "default") != "default":
            yield IPv4Network(route["dst"], strict=False)


def _ensure_parts(lab: Lab, options: LabOptions, node_image: str, archives: Sequence[Archive]) -> bool:
    """Start missing nodes and the database in parallel; return whether anything was missing."""
    wanted = lab.nodes(options.nodes)
    public_key = files.ensure_keys_and_secrets(lab)
    seed = ensure_seed(node_image, archives[0], options.say) if _has_new(wanted) else None

    def plant(volume: str) -> bool:
        return seed is not None and seed_plant(seed, volume)

    for archive in archives:
        size = archive.base.stat().st_size >> 20
        options.say(f"Stand-ins {archive.digest}: {len(archive.images)} images, {size} MB.")

    def start(node: LabNode) -> bool:
        changed = nodes.ensure_node(lab, node, node_image, public_key, plant, options.say)
        for archive in archives:
            loaded = nodes.ensure_images(node, archive)
            if "podman" in options.extras:
                loaded = nodes.ensure_podman_images(node, archive) or loaded
            if loaded:
                options.say(f"{node.name} ({node.address}) has the stand-in images.")
                changed = True
        return changed

    tasks: list[Callable[[], bool]] = [lambda: ensure_database(lab, images.standin_base(), options.say)]
    tasks += [lambda node=node: start(node) for node in wanted]  # type: ignore[misc]
    return any(_run_all(tasks))


def _has_new(wanted: Sequence[LabNode]) -> bool:
    """Return whether any of the nodes does not exist yet."""
    return any(inspect("container", node.container) is None for node in wanted)


def _run_all(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run all tasks in parallel; raise the first failure after all have ended."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def _write_files(lab: Lab, count: int) -> None:
    """Write inventory and known_hosts for all existing nodes, answers for the requested ones."""
    every = [node for node in lab.nodes(8) if node.container in labelled("container", lab.label)]
    lines = [line for node in every for line in nodes.known_hosts_lines(node)]
    lab.known_hosts.write_text("".join(f"{line}\n" for line in lines))
    lab.inventory.write_text(files.inventory_text(lab, every))
    write_private(lab.answers, files.answers_text(lab, lab.nodes(count)).encode())
