"""What checks look at, and what they find. Frozen, and free of secrets once it is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from oz_installer.answers.model import Answers
from oz_installer.catalog.release import Port, Release, Resources
from oz_installer.remote.transport import Transport
from oz_installer.secret import Secret
from oz_installer.topology.model import Topology

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """How ``check --fix`` mends what a finding is about. ``title`` says what it does, as «start Docker».

    ``commands`` run on ``node`` as root, one after the other, each an argv; with ``database`` they are SQL
    statements instead, run by the database's administrator through that node. ``undo`` takes them back, and
    can be run again where that broke off. They stand on the screen before they run: no secrets.

    ``at``: what an undo list tells of the server: host and port of the node, or of the database.

    ``undo_of``: the number of the command whose work each of ``undo`` takes back, the first is 0; empty: all
    of them take back the first's.
    """

    title: str
    node: str
    commands: tuple[tuple[str, ...], ...]
    undo: tuple[tuple[str, ...], ...] = ()
    database: str = ""
    undo_of: tuple[int, ...] = ()
    at: str = ""

    def undo_for(self, tried: int) -> tuple[tuple[str, ...], ...]:
        """What of ``undo`` takes back the first commands, as many as ``tried`` says."""
        numbers = self.undo_of or (0,) * len(self.undo)
        pairs = zip(self.undo, numbers, strict=True)
        return tuple(command for command, number in pairs if number < tried)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One judgement. ``id`` is stable, for ``accept``: ``host.memory/api1``; ``host`` is the check's name.

    ``node``: None where it is of none. ``needed`` names its source, ``why`` it matters, ``hint`` what to do.
    """

    id: str
    subject: str
    node: str | None
    level: Level
    seen: str
    needed: str = ""
    why: str = ""
    hint: str = ""
    remedy: Remedy | None = None

    @property
    def check(self) -> str:
        """The name of the check that it comes from."""
        return self.id.partition("/")[0].partition(".")[0]

    def is_accepted(self, accepted: Collection[str]) -> bool:
        """A warning whose id is accepted: ``host.memory/api1``, or ``host.memory`` for every node."""
        return self.level == "warning" and (self.id in accepted or self.id.partition("/")[0] in accepted)

    def map_text(self, change: Callable[[str], str]) -> Finding:
        """The same with its free texts changed, such as by a masker."""
        return replace(
            self,
            seen=change(self.seen),
            needed=change(self.needed),
            why=change(self.why),
            hint=change(self.hint),
        )


@dataclass(frozen=True, kw_only=True)
class CheckedNode:
    """One node as checks see it. ``needs`` is None where no layout says what it needs, ``source`` is who says
    it; ``ports`` are those that it will publish."""

    name: str
    roles: tuple[str, ...]
    requirements: Resources | None = None
    source: str = ""
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GeneratedSecrets:
    """Passwords that oz-install made: by slot their fingerprints, and the file that keeps them; ``lacking``:
    the slots that are not in it."""

    file: Path
    is_lost: bool
    fingerprints: Mapping[str, str]
    lacking: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """Everything that a check may know. ``reach`` gives a node's connection; it raises ConnectError.

    ``topology`` is None while answers are in the making; ``base`` is the folder that files in the answers are
    relative to. ``own_passwords`` is None where nobody asks whether they are the installed ones.
    """

    answers: Answers
    release: Release
    nodes: tuple[CheckedNode, ...]
    transport: Callable[[str], Transport]
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    topology: Topology | None = None
    answers_dir: Path = Path()
    own_passwords: GeneratedSecrets | None = None

    @property
    def install_dir(self) -> str:
        """The install folder, as answered."""
        return self.answers.install_dir

    @property
    def api_nodes(self) -> tuple[CheckedNode, ...]:
        """The nodes that run the API."""
        return tuple(node for node in self.nodes if "api" in node.roles)

    def node(self, name: str) -> CheckedNode | None:
        """The node of that name; None where it is not looked at."""
        return next((node for node in self.nodes if node.name == name), None)
