"""What an engine, its Compose and the install folder must be before anything is changed. Pure.

The preflight and the deployment judge by the same words and figures: they stand here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from oz_installer.errors import OzError
from oz_installer.remote.docker_commands import ComposeTool, detect_compose, parse_version

NAMES = {"docker": ("Docker", "Docker Compose"), "podman": ("Podman", "podman-compose")}
TIMED_OUT_TEXT = "it did not answer within 5 s"
"""What is noted for an engine that hangs."""
DISK_FREE_MIB = 512  # of install_dir, for bundles and logs; data and images have checks of their own


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What a node's engine told. ``said`` is why it does not answer; the others are what each printed as its
    version (empty: not there)."""

    answers: bool
    said: str = ""
    version: str = ""
    compose_plugin: str = ""
    compose_v1: str = ""
    podman_compose: str = ""

    def compose(self, engine: str) -> ComposeTool | None:
        """The Compose to use; None when there is none."""
        return detect_compose(
            engine, plugin=self.compose_plugin, v1=self.compose_v1, podman_compose=self.podman_compose
        )


@dataclass(frozen=True, kw_only=True)
class UnmetRequirement:
    """What keeps a node from being used: what, and what to do. ``seen`` and ``needed`` are versions.

    ``cause``: an engine or Compose is missing, denied to the login, or silent; empty for all else.
    """

    what: Literal["engine", "compose", "folder", "project", "disk"]
    message: str
    hint: str
    seen: str = ""
    needed: str = ""
    cause: Literal["missing", "denied", "silent", ""] = ""


def check_engine(facts: EngineFacts, engine: str, oldest: str) -> UnmetRequirement | None:
    """What is wrong with the engine itself, which does not answer or is older than ``oldest``."""
    return (
        _too_old("engine", NAMES[engine][0], facts.version, oldest)
        if facts.answers
        else engine_not_responding(facts, engine)
    )


def check_compose(facts: EngineFacts, engine: str, oldest: str) -> UnmetRequirement | None:
    """What is wrong with the engine's Compose, which is missing or older than ``oldest``."""
    tool, name = facts.compose(engine), NAMES[engine][1]
    if tool is None:
        hint = f"Install {name} on the node, then run again."
        return UnmetRequirement(
            what="compose", message=f"{name} is not installed", hint=hint, needed=oldest, cause="missing"
        )
    return _too_old("compose", name, ".".join(map(str, tool.version)), oldest)


def check_folder(access: str) -> UnmetRequirement | None:
    """Why the install folder cannot be written; ``access``: ok, ``read-only FOLDER``, ``denied FOLDER``."""
    kind, _, folder = access.partition(" ")
    if kind == "ok":
        return None
    if kind == "read-only":
        return UnmetRequirement(
            what="folder",
            message=f"{folder} is on a file system that is mounted read-only",
            hint="Mount it writable, or choose another install_dir.",
        )
    return UnmetRequirement(
        what="folder",
        message=f"this login may not write {folder}",
        hint="Set become: sudo for the node, or give the login the right to write there.",
    )


def check_project(
    project: str, strangers: Sequence[str], *, ours: bool, recorded: bool
) -> UnmetRequirement | None:
    """Containers of a Compose project that is called as ours: they are never touched.

    ``strangers`` we did not start; ``ours``: some we did; ``recorded``: the install folder tells of them.
    """
    if strangers:
        names = ", ".join(sorted(strangers)[:5])
        return UnmetRequirement(
            what="project",
            message=f"a Compose project «{project}» runs there that oz-install did not start: {names}",
            hint="If it is an older Oz installation, stop it with its own Compose file (down, not -v) first.",
        )
    if ours and not recorded:
        return UnmetRequirement(
            what="project",
            message="an installation by oz-install runs there from another folder",
            hint="Set install_dir to the folder that it was installed to.",
        )
    return None


def check_disk(free: int) -> UnmetRequirement | None:
    """Too little disk for the bundles alone; ``free`` in KiB, negative where nobody could tell."""
    if not 0 <= free < DISK_FREE_MIB * 1024:
        return None
    return UnmetRequirement(
        what="disk",
        message=f"the disk of the install folder has {free // 1024} MB free, {DISK_FREE_MIB} MB are needed",
        hint="Free some space on the node, or choose another install_dir.",
    )


def unmet(*found: UnmetRequirement | None) -> Iterator[UnmetRequirement]:
    """Those that there are."""
    return (lack for lack in found if lack is not None)


def engine_not_responding(facts: EngineFacts, engine: str) -> UnmetRequirement:
    """Why an engine does not answer."""
    said, title = facts.said.strip().replace("\n", " ")[:300], NAMES[engine][0]
    cause: Literal["missing", "denied", "silent"] = "silent"
    if "not found" in said:
        cause = "missing"
        message = f"{title} is not installed"
        hint = f"Install {title} and its Compose on the node, then run again."
    elif "permission denied" in said.lower():
        cause = "denied"
        message = f"this login may not use {title}: {said}"
        hint = "Add it to the group docker, or set become: sudo for the node."
    elif said == TIMED_OUT_TEXT:
        message = f"{title} hangs: {said}"
        hint = (
            f"Look at disk, load and journalctl -u {engine}; then restart it, which may stop its containers."
        )
    else:
        message = f"{title} does not answer: {said}"
        hint = f"Start it (systemctl enable --now {engine}) and run again."
    return UnmetRequirement(what="engine", message=message, hint=hint, cause=cause)


def _too_old(
    what: Literal["engine", "compose"], name: str, seen: str, oldest: str
) -> UnmetRequirement | None:
    version, needed = parse_version(seen), parse_version(oldest)
    if needed is None:
        raise OzError(f"the catalogue's oldest {name}, {oldest!r}, is no version")
    if version is None:
        message, hint = (
            f"cannot tell the version of {name}: {seen[:200]!r}",
            f"Is {name} installed and running?",
        )
        return UnmetRequirement(what=what, message=message, hint=hint, seen=seen[:200], needed=oldest)
    if version < needed:
        message = f"{name} {seen} is too old, {oldest} or newer is needed"
        return UnmetRequirement(
            what=what, message=message, hint=f"Upgrade {name} on the node.", seen=seen, needed=oldest
        )
    return None
