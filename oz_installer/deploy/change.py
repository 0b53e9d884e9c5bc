"""One change of a plan: on which target, of which kind, what happens to it, and why."""

from __future__ import annotations

from typing import Literal

from oz_installer.frozen import dataclass

ChangeKind = Literal["file", "service", "job", "image", "verification"]
FileAction = Literal["new", "changed", "removed", "drifted"]
ServiceAction = Literal["start", "recreate", "restart", "remove", "wait"]
ChangeAction = FileAction | ServiceAction | Literal["run", "pull", "verify"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A difference between what is and what should be on a target (a node, or a workload of a cluster).

    ``name`` is the file's path, the service, the job or the image; the target itself for a verification.
    ``diff`` is a unified diff with secrets masked, of files only; empty for binary content.
    """

    target: str
    kind: ChangeKind
    name: str
    action: ChangeAction
    reason: str = ""
    diff: str = ""
