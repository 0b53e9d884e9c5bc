"""The ordered changes from what is to what should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """A file that differs. ``diff`` is a unified diff with secrets masked; empty for binary content."""

    path: str
    kind: Literal["new", "changed", "removed", "drifted"]
    diff: str = ""


@dataclass(frozen=True, kw_only=True)
class ServiceChange:
    """A service that will start, be recreated, restart, be removed or be waited for, and why."""

    name: str
    action: Literal["start", "recreate", "restart", "remove", "wait"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class StorageMove:
    """Data that are kept somewhere else from now on (``database``, ``media``). Nothing is copied."""

    what: str
    before: str
    now: str


@dataclass(frozen=True, kw_only=True)
class NodePlan:
    """What changes on one node. ``moves`` warn; they are no change by themselves."""

    node: str
    files: tuple[FileChange, ...] = ()
    services: tuple[ServiceChange, ...] = ()
    jobs: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    needs_verification: bool = False
    moves: tuple[StorageMove, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        """Whether the node is as it should be, and was seen to work."""
        return not (self.files or self.services or self.jobs or self.needs_verification)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What changes on all nodes, in the operator's order."""

    nodes: tuple[NodePlan, ...]

    @property
    def nothing_to_do(self) -> bool:
        """Whether every node is as it should be."""
        return all(node.nothing_to_do for node in self.nodes)

    @property
    def changing(self) -> tuple[str, ...]:
        """Nodes on which something changes."""
        return tuple(node.node for node in self.nodes if not node.nothing_to_do)

    def of(self, node: str) -> NodePlan:
        """The plan of that node; KeyError when there is none."""
        for plan in self.nodes:
            if plan.node == node:
                return plan
        raise KeyError(node)
