"""One change of a plan: target, kind, action and reason."""

from __future__ import annotations

from typing import Literal

from oz_installer.frozen import dataclass

ChangeKind = Literal["file", "service", "job", "image", "verification"]
FileAction = Literal["new", "changed", "removed", "drifted"]
ServiceAction = Literal["start", "recreate", "restart", "remove", "wait"]
ChangeAction = FileAction | ServiceAction | Literal["run", "pull", "verify"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A difference between actual and desired state.

    ``target`` is a node, or a workload of a cluster. ``name`` is the file's path, the service, the job or the
    image; the target itself for a verification. ``diff`` is a unified diff with secrets masked, for files
    only; empty for binary content.
    """

    target: str
    kind: ChangeKind
    name: str
    action: ChangeAction
    reason: str = ""
    diff: str = ""
