"""Plans for tests: a target's changes, given kind by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oz_installer.deploy.change import Change, FileAction, ServiceAction
from oz_installer.deploy.plan import TargetPlan
from oz_installer.render.data_locations import StorageMove


def file_change(path: str, action: FileAction, diff: str = "", target: str = "n1") -> Change:
    """A file that differs."""
    return Change(target=target, kind="file", name=path, action=action, diff=diff)


def service_change(name: str, action: ServiceAction, reason: str = "", target: str = "n1") -> Change:
    """A service that changes."""
    return Change(target=target, kind="service", name=name, action=action, reason=reason)


def target_plan(
    target: str,
    *changes: Change,
    jobs: Sequence[str] = (),
    images: Sequence[str] = (),
    verify: bool = False,
    moves: Sequence[StorageMove] = (),
) -> TargetPlan:
    """A plan of one target; the target of each change is set."""
    more = [Change(target=target, kind="job", name=name, action="run") for name in jobs]
    more += [Change(target=target, kind="image", name=name, action="pull") for name in images]
    if verify:
        more.append(Change(target=target, kind="verification", name=target, action="verify"))
    mine = [replace(change, target=target) for change in changes]
    return TargetPlan(target=target, changes=(*mine, *more), moves=tuple(moves))
