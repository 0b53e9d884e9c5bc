"""The facts of a node, parsed from the output of ``node.sh``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field

from oz_installer.deploy.compose.record_file import read_record
from oz_installer.deploy.record import Record
from oz_installer.frozen import dataclass
from oz_installer.remote.docker_commands import parse_version
from oz_installer.text import safe_line

HUNG = "124"
"""Exit status of ``timeout`` when the time is over."""

LOST = "lost"
"""In place of the digest of a finished job: what it filled is not there any more."""

_UP = re.compile(r"^Up\b")
_HEALTH = re.compile(r"\((?:health: )?(starting|healthy|unhealthy)\)")


@dataclass(frozen=True, kw_only=True)
class ContainerFact:
    """A container of the project. ``health`` is empty where it has no health check."""

    name: str
    running: bool
    health: str
    digest: str
    image: str
    status: str

    @property
    def is_healthy(self) -> bool:
        """Whether it is running, and healthy if it has a health check."""
        return self.running and self.health in ("", "healthy")


@dataclass(frozen=True, kw_only=True)
class NodeDetails:
    """Facts that are read only when something is to change.

    ``disk_free`` is in KiB. ``folder_access`` is ``ok``, or why the install folder is not writable:
    ``read-only FOLDER``, ``denied FOLDER``, ``blocked FOLDER``. ``foreign``: containers that oz-install did
    not make, with their Compose project.
    """

    uid: int
    os: str
    engine_version: str
    compose_plugin: str
    compose_v1: str
    podman_compose: str
    images: frozenset[str]
    volumes: frozenset[str]
    generations: tuple[str, ...]
    disk_free: int
    folder_access: str = "ok"
    foreign: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """The facts of one node at one moment.

    ``lock`` is the owner of the lock, whose run and process follow; ``good`` the generation that was verified
    last; ``journal`` the size of the journal in bytes.
    """

    node: str
    engine_ok: bool
    engine_message: str
    generation: str
    record: Record | None
    lock: str
    lock_run: str = ""
    lock_process: str = ""
    lock_stale: bool = False
    partial: tuple[str, ...] = ()
    journal: str = ""
    good: str = ""
    verified: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    wrong_modes: tuple[str, ...] = ()
    jobs: Mapping[str, str] = field(default_factory=dict)
    containers: Mapping[str, ContainerFact] = field(default_factory=dict)
    details: NodeDetails | None = None


def parse_facts(node: str, output: str, hide: Callable[[str], str] = str) -> NodeFacts:
    """Parse the output of ``node.sh facts``. Raises ValueError when it is incomplete.

    ``hide`` masks secrets in the engine's output, before anything is cut from it.
    """
    parts = _sections(output)
    if "end" not in parts:
        raise ValueError("the output of the node is incomplete")
    status = parts["engine-status"].strip()
    ok, message = status == "0", hide(parts["containers"]).strip()
    if status == HUNG:
        message = message.rpartition("\n")[2]  # the lines before are partial output, or the shell's message
    files, wrong = _files(parts["files"])
    holder = {word: rest for word, _, rest in (line.partition(" ") for line in parts["holder"].splitlines())}
    generation, verified = parts["link"].strip().rpartition("/")[2], parts["verified"].strip()
    record = read_record(parts)
    current = generation if record and record.digest == verified else ""  # an installation without the mark
    return NodeFacts(
        node=node,
        engine_ok=ok,
        engine_message="" if ok else message,
        generation=generation,
        record=record,
        lock=parts["lock"].strip(),
        lock_run=holder.get("run", ""),
        lock_process=holder.get("process", ""),
        lock_stale="stale" in holder,
        partial=tuple(parts["partial"].split()),
        journal=parts["journal"].strip(),
        good=parts["good"].strip() or current,
        verified=verified,
        files=files,
        wrong_modes=wrong,
        jobs=dict(line.split(" ", 1) for line in parts["jobs"].splitlines() if " " in line),
        containers=parse_containers(parts["containers"]) if ok else {},
        details=_details(parts, hide) if "user" in parts else None,
    )


def parse_containers(text: str) -> dict[str, ContainerFact]:
    """Parse lines of name, status, digest label and image, separated by tabs; more is ignored."""
    found = {}
    for line in text.splitlines():
        name, tab, rest = line.partition("\t")
        if not tab:
            continue
        status, _, rest = rest.partition("\t")
        digest, _, rest = rest.partition("\t")
        image = rest.partition("\t")[0]
        health = _HEALTH.search(status)
        found[name] = ContainerFact(
            name=name,
            running=bool(_UP.match(status)) and "(Paused)" not in status,
            health=health.group(1) if health else "",
            digest=digest,
            image=image,
            status=status,
        )
    return found


def _sections(output: str) -> dict[str, str]:
    parts = re.split(r"(?:^|\n)@([a-z0-9-]+)\n", output)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _files(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    files, wrong = {}, []
    for line in text.splitlines():
        if line.startswith("mode "):
            wrong.append(line.removeprefix("mode ").removeprefix("./"))
        elif "  " in line:
            digest, _, path = line.partition("  ")
            files[path.removeprefix("./")] = digest
    return files, tuple(sorted(wrong))


def _details(parts: Mapping[str, str], hide: Callable[[str], str]) -> NodeDetails:
    disk = parts["disk"].split()
    return NodeDetails(
        uid=int(parts["user"].strip() or -1),
        os=" · ".join(parts["os"].split("\n")).strip(" ·"),
        engine_version=_version(parts["engine-version"], hide).strip(),
        compose_plugin=parts["compose-plugin"].strip(),
        compose_v1=parts["compose-v1"].strip(),
        podman_compose=parts["podman-compose"].strip(),
        images=frozenset(parts["images"].split()),
        volumes=frozenset(parts["volumes"].split()),
        generations=tuple(parts["generations"].split()),
        disk_free=int(disk[3]) if len(disk) > 3 else -1,
        folder_access=parts["access"].strip(),
        foreign=_foreign(parts.get("names", ""), hide),
    )


def _foreign(text: str, hide: Callable[[str], str]) -> dict[str, str]:
    """Parse lines of name, project and digest label, separated by tabs, without our own."""
    rows = [(*line.split("\t"), "", "")[:3] for line in text.splitlines() if line]
    return {name: safe_line(hide(project)) for name, project, digest in rows if not digest.strip()}


def _version(text: str, hide: Callable[[str], str]) -> str:
    """Return a version unmasked, since a short secret may be a part of it; mask anything else."""
    return hide(text) if parse_version(text) is None else text
