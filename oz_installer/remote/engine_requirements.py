"""Requirements on the engine, its Compose and the install folder. Pure.

The preflight and the deployment share these figures and messages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from oz_installer.errors import OzError
from oz_installer.remote.docker_commands import ComposeTool, ComposeVariant, detect_compose, parse_version
from oz_installer.text import join_and

EMULATION = "the command docker is Podman's emulation"
"""The version, or the message, of an engine that is not Docker."""
TIMED_OUT_TEXT = "it did not answer within 5 s"
"""The message of an engine that hangs."""
_NO_V1 = 29  # its oldest API is 1.44
FREE_INODES = 10_000
"""The least number of free inodes: generations, jobs and logs are small files."""
DISK_FREE_MIB = 512  # of install_dir, for bundles and logs; media and images have their own checks


class EngineNames(Protocol):
    """The names of an engine: its command, its title and that of its Compose.

    The catalogue's ``EngineTraits`` has them.
    """

    @property
    def name(self) -> str:
        """The command, as in the answers."""
        ...

    @property
    def title(self) -> str:
        """The engine in messages."""
        ...

    @property
    def compose_title(self) -> str:
        """Its Compose in messages."""
        ...


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """Facts of a node's engine. ``message`` is why it does not answer.

    The other fields are the printed versions of the engine and each Compose; empty: not installed."""

    answers: bool
    message: str = ""
    version: str = ""
    compose_plugin: str = ""
    compose_v1: str = ""
    podman_compose: str = ""

    def compose(self, engine: str) -> ComposeTool | None:
        """Return the Compose to use; None without one."""
        return detect_compose(
            engine, plugin=self.compose_plugin, v1=self.compose_v1, podman_compose=self.podman_compose
        )


@dataclass(frozen=True, kw_only=True)
class UnmetRequirement:
    """A requirement that a node does not meet, with the hint.

    ``seen`` and ``needed`` are versions.

    ``cause``: an engine or Compose is missing, denied to the login, or silent; otherwise empty.
    """

    what: Literal["engine", "compose", "folder", "project", "names", "disk"]
    message: str
    hint: str
    seen: str = ""
    needed: str = ""
    cause: Literal["missing", "denied", "silent", ""] = ""


def check_engine(facts: EngineFacts, engine: EngineNames, oldest: str) -> UnmetRequirement | None:
    """Check that the engine answers and is at least version ``oldest``."""
    if EMULATION in (facts.version, facts.message):
        hint = "Set engine: podman in the answers; or install Docker in place of the package podman-docker."
        return UnmetRequirement(what="engine", message=f"{EMULATION}, not Docker", hint=hint)
    return (
        _too_old("engine", engine.title, facts.version, oldest)
        if facts.answers
        else engine_not_responding(facts, engine)
    )


def check_compose(facts: EngineFacts, engine: EngineNames, oldest: str) -> UnmetRequirement | None:
    """Check that the engine's Compose is installed and at least version ``oldest``."""
    tool, name = facts.compose(engine.name), engine.compose_title
    if tool is None:
        hint = f"Install {name} on the node, then run again."
        return UnmetRequirement(
            what="compose", message=f"{name} is not installed", hint=hint, needed=oldest, cause="missing"
        )
    if tool.variant is ComposeVariant.V1 and (parse_version(facts.version) or (0,))[0] >= _NO_V1:
        return UnmetRequirement(
            what="compose",
            message=f"docker-compose 1 cannot talk to Docker {facts.version}",
            hint="Install the plugin (docker compose): Docker 29 dropped the API of docker-compose 1.",
        )
    return _too_old("compose", name, ".".join(map(str, tool.version)), oldest)


def check_folder(access: str) -> UnmetRequirement | None:
    """Check the access to the install folder.

    ``access`` is ``ok``, or a word and a folder: ``read-only``, ``denied`` or ``blocked``."""
    kind, _, folder = access.partition(" ")
    if kind == "ok":
        return None
    if kind == "blocked":
        return UnmetRequirement(
            what="folder",
            message=f"{folder} is a folder; a link to the installed generation belongs there",
            hint="Engines make such a folder where the source of a mount is missing. See that it holds "
            f"nothing of value, then remove it: rm -r {folder}",
        )
    if kind == "read-only":
        return UnmetRequirement(
            what="folder",
            message=f"{folder} is on a file system that is mounted read-only",
            hint="Mount it writable, or choose another install_dir.",
        )
    return UnmetRequirement(
        what="folder",
        message=f"this login may not write to {folder}",
        hint="Set become: sudo for the node, or give the login write permission there.",
    )


def check_project(
    project: str, foreign: Sequence[str], *, ours: bool, recorded: bool
) -> UnmetRequirement | None:
    """Check for containers of a Compose project with our name; they are never touched.

    ``foreign`` are those that oz-install did not start; ``ours``: it started some; ``recorded``: the
    install folder has a record of them.
    """
    if foreign:
        names = ", ".join(sorted(foreign)[:5])
        return UnmetRequirement(
            what="project",
            message=f"a Compose project «{project}» that oz-install did not start runs there: {names}",
            hint="If it is an older Oz installation, first stop it with its own Compose file (down, not -v).",
        )
    if ours and not recorded:
        return UnmetRequirement(
            what="project",
            message="an installation by oz-install runs there from another folder",
            hint="Set install_dir to the folder of that installation.",
        )
    return None


def check_names(foreign: Mapping[str, str], wanted: Collection[str], engine: str) -> UnmetRequirement | None:
    """Check for containers of others with the names of services; they are never touched.

    ``foreign``: the Compose project, if any, by the container's name.
    """
    taken = sorted(set(foreign) & set(wanted))
    if not taken:
        return None
    named = [f"{name} (project {foreign[name]})" if foreign[name] else name for name in taken]
    return UnmetRequirement(
        what="names",
        message=f"containers that oz-install did not make have its names: {join_and(named, 5)}",
        hint=f"Rename or remove them ({engine} rename OLD NEW; {engine} rm -f NAME, which keeps its volumes)"
        "; those of a Compose project with its own file (docker compose down, not -v).",
    )


def check_disk(free: int, inodes: int | None = None) -> UnmetRequirement | None:
    """Check the disk space for the bundles alone; ``free`` in KiB, negative when unknown."""
    if inodes is not None and inodes < FREE_INODES:
        return UnmetRequirement(
            what="disk",
            message=f"the disk of the install folder has {inodes} free inodes, {FREE_INODES} are needed",
            hint="Remove small files there (df -i; du --inodes), or choose another install_dir.",
        )
    if not 0 <= free < DISK_FREE_MIB * 1024:
        return None
    return UnmetRequirement(
        what="disk",
        message=f"the disk of the install folder has {free // 1024} MB free, {DISK_FREE_MIB} MB are needed",
        hint="Free some space on the node, or choose another install_dir.",
    )


def unmet(*results: UnmetRequirement | None) -> Iterator[UnmetRequirement]:
    """Leave out the requirements that are met."""
    return (result for result in results if result is not None)


def engine_not_responding(facts: EngineFacts, engine: EngineNames) -> UnmetRequirement:
    """Return why an engine does not answer."""
    output, title = facts.message.strip().replace("\n", " ")[:300], engine.title
    cause: Literal["missing", "denied", "silent"] = "silent"
    if "not found" in output:
        cause = "missing"
        message = f"{title} is not installed"
        hint = f"Install {title} and its Compose on the node, then run again."
    elif "permission denied" in output.lower():
        cause = "denied"
        message = f"this login may not use {title}: {output}"
        hint = "Add the login to the group docker, or set become: sudo for the node."
    elif output == TIMED_OUT_TEXT:
        message = f"{title} hangs: {output}"
        hint = (
            f"Check disk, load and journalctl -u {engine.name}; "
            "then restart it, which may stop its containers."
        )
    else:
        message = f"{title} does not answer: {output}"
        hint = f"Start it (systemctl enable --now {engine.name}) and run again."
    return UnmetRequirement(what="engine", message=message, hint=hint, cause=cause)


def _too_old(
    what: Literal["engine", "compose"], name: str, seen: str, oldest: str
) -> UnmetRequirement | None:
    version, needed = parse_version(seen), parse_version(oldest)
    if needed is None:
        raise OzError(f"the catalogue's minimum version of {name} is not a version: {oldest!r}")
    if version is None:
        message = f"the version of {name} is unknown: {seen[:200]!r}"
        hint = f"Check that {name} is installed and running."
        return UnmetRequirement(what=what, message=message, hint=hint, seen=seen[:200], needed=oldest)
    if version < needed:
        message = f"{name} {seen} is too old, {oldest} or newer is needed"
        return UnmetRequirement(
            what=what, message=message, hint=f"Upgrade {name} on the node.", seen=seen, needed=oldest
        )
    return None
