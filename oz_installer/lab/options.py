"""Names, folders and addresses of a lab. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal

from oz_installer.errors import AnswersError, PreflightError

LABEL = "com.ozforensics.oz-install.lab"
FOLDER_LABEL = f"{LABEL}.folder"
DEFAULT_NAME = "default"
DEFAULT_SUBNET = IPv4Network("172.30.77.0/24")
MAX_NODES = 8
_DATABASE_HOST = 5
_FIRST_NODE = 11
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?")

Suite = Literal["trixie", "bookworm"]
LabExtra = Literal["rabbitmq", "podman"]
Say = Callable[[str], None]


def home() -> Path:
    """Return the folder of everything that labs keep on this machine."""
    return Path.home() / ".oz-install"


def cache_folder() -> Path:
    """Return the folder of files that labs share; it may be deleted at any time."""
    return home() / "cache" / "lab"


@dataclass(frozen=True, kw_only=True)
class LabOptions:
    """Options of ``lab up``; ``say`` receives progress messages."""

    name: str = DEFAULT_NAME
    nodes: int = 2
    directory: Path | None = None
    subnet: IPv4Network | None = None
    suite: Suite = "trixie"
    extras: tuple[LabExtra, ...] = ()
    say: Say = print

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise AnswersError(
                f"invalid lab name {self.name!r}",
                "use lower-case letters, digits and -, at most 22 characters",
            )
        if not 1 <= self.nodes <= MAX_NODES:
            raise AnswersError(
                f"a lab cannot have {self.nodes} nodes", f"give a number from 1 to {MAX_NODES}"
            )


@dataclass(frozen=True, kw_only=True)
class LabNode:
    """One node of a lab: its name, container, volume, cgroup and, if any, address."""

    name: str
    container: str
    address: IPv4Address | None
    volume: str
    cgroup: str


@dataclass(frozen=True, kw_only=True)
class Lab:
    """Names, folders and addresses of a lab, whether or not they exist."""

    name: str
    directory: Path
    subnet: IPv4Network

    @property
    def prefix(self) -> str:
        """Prefix of the names of everything that the lab owns."""
        return f"oz-lab-{self.name}"

    @property
    def label(self) -> str:
        """Label on everything that belongs to this lab."""
        return f"{LABEL}={self.name}"

    @property
    def network(self) -> str:
        return self.prefix

    @property
    def share(self) -> str:
        """Volume that all nodes mount at /mnt/oz."""
        return f"{self.prefix}-share"

    @property
    def database_container(self) -> str:
        return f"{self.prefix}-db"

    @property
    def database_address(self) -> IPv4Address:
        return self.subnet[_DATABASE_HOST]

    @property
    def key(self) -> Path:
        return self.directory / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def inventory(self) -> Path:
        return self.directory / "inventory"

    @property
    def answers(self) -> Path:
        return self.directory / "answers.yml"

    @property
    def database_password(self) -> Path:
        return self.directory / "db_password"

    @property
    def sudo_password(self) -> Path:
        """File with the sudo password of the user ``ozpw``."""
        return self.directory / "sudo_password"

    @property
    def updater_token(self) -> Path:
        return self.directory / "updater_token"

    @property
    def license(self) -> Path:
        return self.directory / "license.key"

    def node(self, number: int) -> LabNode:
        """Return the node with that number; the first is 1."""
        name = f"node{number}"
        return LabNode(
            name=name,
            container=f"{self.prefix}-{name}",
            address=self.subnet[_FIRST_NODE + number - 1],
            volume=f"{self.prefix}-{name}-docker",
            cgroup=f"/{self.prefix}-{name}",
        )

    def nodes(self, count: int) -> tuple[LabNode, ...]:
        """Return the first ``count`` nodes."""
        return tuple(self.node(number) for number in range(1, count + 1))


def lab_directory(name: str, directory: Path | None = None) -> Path:
    """Return the folder of a lab's key, inventory and answers."""
    return (directory or home() / "labs" / name).expanduser().absolute()


def choose_subnet(name: str, taken: Iterable[IPv4Network]) -> IPv4Network:
    """Return a /24 that overlaps nothing in ``taken``; the default lab prefers 172.30.77.0/24.

    Raises PreflightError when 172.30.0.0/16 has no free one.
    """
    used = tuple(taken)
    candidates: Sequence[IPv4Network] = [IPv4Network(f"172.30.{third}.0/24") for third in range(78, 240)]
    if name == DEFAULT_NAME:
        candidates = [DEFAULT_SUBNET, *candidates]
    for candidate in candidates:
        if not any(candidate.overlaps(other) for other in used):
            return candidate
    raise PreflightError(
        "no free subnet for the lab in 172.30.0.0/16",
        "remove old labs with «lab down», or name a subnet with --subnet",
    )
