"""The context that checks read and the findings they return.

Frozen; findings hold no secrets once masked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from oz_installer.answers.model import Answers
from oz_installer.catalog.release import Release
from oz_installer.catalog.scenario import Resources
from oz_installer.catalog.service import Port
from oz_installer.checks.viewpoint import NodeViewpoint, Viewpoint
from oz_installer.remote.transport import Transport
from oz_installer.secret import Secret
from oz_installer.topology.model import Topology

FindingLevel = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """The commands by which ``check --fix`` fixes a finding.

    ``title`` says what they do: «start Docker».

    ``commands`` run on ``node`` as root, one after the other, each an argv; with ``database`` they are SQL
    statements instead, run by the database administrator through that node. ``undo`` undoes them, and can
    be run again after it broke off. All are shown before they run, so they hold no secrets.

    ``at``: the server as the undo log names it: host and port of the node, or of the database.

    ``undo_of``: for each of ``undo``, the index of the command that it undoes; empty: all undo the first.
    """

    title: str
    node: str
    commands: tuple[tuple[str, ...], ...]
    undo: tuple[tuple[str, ...], ...] = ()
    database: str = ""
    undo_of: tuple[int, ...] = ()
    at: str = ""

    def undo_for(self, tried: int) -> tuple[tuple[str, ...], ...]:
        """Return the ``undo`` commands for the first ``tried`` commands."""
        numbers = self.undo_of or (0,) * len(self.undo)
        pairs = zip(self.undo, numbers, strict=True)
        return tuple(command for command, number in pairs if number < tried)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The judgement on a fact.

    ``id`` is stable, for ``accept``: ``host.memory/api1``, ``host`` the check.

    ``seen`` is what is, ``needed`` what is required and by whom, ``why`` what breaks, ``hint`` what to do.
    ``node`` is None for a finding that belongs to no node.
    """

    id: str
    subject: str
    node: str | None
    level: FindingLevel
    seen: str
    needed: str = ""
    why: str = ""
    hint: str = ""
    remedy: Remedy | None = None

    @property
    def check(self) -> str:
        """The name of the check that made this finding."""
        return self.id.partition("/")[0].partition(".")[0]

    def is_accepted(self, accepted: Collection[str]) -> bool:
        """Return whether this warning is accepted: ``host.memory/api1``, or ``host.memory`` for all."""
        return self.level == "warning" and (self.id in accepted or self.id.partition("/")[0] in accepted)

    def map_text(self, change: Callable[[str], str]) -> Finding:
        """Return a copy whose free texts went through ``change``, a masker for example."""
        return replace(
            self,
            seen=change(self.seen),
            needed=change(self.needed),
            why=change(self.why),
            hint=change(self.hint),
        )


@dataclass(frozen=True, kw_only=True)
class CheckedNode:
    """A node as checks see it.

    ``requirements`` is None when no layout states them; ``source`` names the layout; ``ports`` are the ports
    that the node will publish."""

    name: str
    roles: tuple[str, ...]
    requirements: Resources | None = None
    source: str = ""
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GeneratedSecrets:
    """The generated passwords: fingerprints by slot, and the file that stores them.

    ``lacking``: the slots that the file does not hold."""

    file: Path
    is_lost: bool
    fingerprints: Mapping[str, str]
    lacking: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """Everything that a check may read.

    ``transport`` returns a node's connection or raises ConnectError.

    ``topology`` is None while the answers are being edited; ``answers_dir`` is the folder that relative paths
    in the answers start from. ``own_passwords`` is None when they are not compared with the installed ones.
    """

    answers: Answers
    release: Release
    nodes: tuple[CheckedNode, ...]
    transport: Callable[[str], Transport]
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    topology: Topology | None = None
    answers_dir: Path = Path()
    own_passwords: GeneratedSecrets | None = None

    def viewpoint(self, name: str) -> Viewpoint:
        """Return the viewpoint of a node. Raises ConnectError when it cannot be reached."""
        return NodeViewpoint(self.transport(name))

    @property
    def install_dir(self) -> str:
        """The install folder, as answered."""
        return self.answers.install_dir

    @property
    def api_nodes(self) -> tuple[CheckedNode, ...]:
        """The nodes that run the API."""
        return tuple(node for node in self.nodes if "api" in node.roles)

    def node(self, name: str) -> CheckedNode | None:
        """Return the node of that name; None when it is not checked."""
        return next((node for node in self.nodes if node.name == name), None)
