"""What a lab is called and where its parts are: names, folders, addresses. Pure."""

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
Extra = Literal["rabbitmq", "podman"]
Say = Callable[[str], None]


def home() -> Path:
    """Folder of everything that rehearsals keep on this machine."""
    return Path.home() / ".oz-install"


def cache_folder() -> Path:
    """Folder of what all labs share and what may be deleted at any time."""
    return home() / "cache" / "lab"


@dataclass(frozen=True, kw_only=True)
class LabOptions:
    """What ``lab up`` is asked for; ``say`` is told in plain words what happens."""

    name: str = DEFAULT_NAME
    nodes: int = 2
    directory: Path | None = None
    subnet: IPv4Network | None = None
    suite: Suite = "trixie"
    extras: tuple[Extra, ...] = ()
    say: Say = print

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise AnswersError(
                f"a lab cannot be called {self.name!r}",
                "use small letters, digits and -, at most 22 characters",
            )
        if not 1 <= self.nodes <= MAX_NODES:
            raise AnswersError(
                f"a lab cannot have {self.nodes} nodes", f"give a number from 1 to {MAX_NODES}"
            )


@dataclass(frozen=True, kw_only=True)
class LabNode:
    """One node of a lab: its name for the operator, its container, its address if it has one."""

    name: str
    container: str
    address: IPv4Address | None
    volume: str
    cgroup: str


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A lab's names, folders and addresses; says nothing of what exists."""

    name: str
    directory: Path
    subnet: IPv4Network

    @property
    def prefix(self) -> str:
        """First part of the names of everything that the lab owns."""
        return f"oz-lab-{self.name}"

    @property
    def label(self) -> str:
        """The label that everything of this lab carries."""
        return f"{LABEL}={self.name}"

    @property
    def network(self) -> str:
        return self.prefix

    @property
    def share(self) -> str:
        """Volume that all nodes have at /mnt/oz."""
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
        """File with the password that sudo asks of the login ``ozpw``."""
        return self.directory / "sudo_password"

    @property
    def updater_token(self) -> Path:
        return self.directory / "updater_token"

    @property
    def license(self) -> Path:
        return self.directory / "license.key"

    def node(self, number: int) -> LabNode:
        """The node of that number; the first is 1."""
        name = f"node{number}"
        return LabNode(
            name=name,
            container=f"{self.prefix}-{name}",
            address=self.subnet[_FIRST_NODE + number - 1],
            volume=f"{self.prefix}-{name}-docker",
            cgroup=f"/{self.prefix}-{name}",
        )

    def nodes(self, count: int) -> tuple[LabNode, ...]:
        """The first ``count`` nodes."""
        return tuple(self.node(number) for number in range(1, count + 1))


def lab_directory(name: str, directory: Path | None = None) -> Path:
    """Folder of a lab's key, inventory and answers."""
    return (directory or home() / "labs" / name).expanduser().absolute()


def choose_subnet(name: str, taken: Iterable[IPv4Network]) -> IPv4Network:
    """A /24 that overlaps nothing in ``taken``; the default lab prefers 172.30.77.0/24.

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
        "no free subnet for the lab in 172.30.0.0/16", "take old labs down, or name a subnet with --subnet"
    )
