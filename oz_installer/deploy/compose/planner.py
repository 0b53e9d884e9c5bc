"""Bundle and facts -> what changes on a node. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.plan import FileChange, NodePlan, Plan, ServiceChange, StorageMove
from oz_installer.remote.image_reference import has_image
from oz_installer.render.compose.bundle import Bundle, BundleService


def plan_changes(bundles: Mapping[str, Bundle], facts: Mapping[str, NodeFacts]) -> Plan:
    """What changes on every node, in the operator's order."""
    return Plan(nodes=tuple(plan_node(bundle, facts[node]) for node, bundle in bundles.items()))


def plan_node(bundle: Bundle, facts: NodeFacts) -> NodePlan:
    """What changes on one node; services and jobs in the order of their start."""
    files = _file_changes(bundle, facts)
    present = facts.details.images if facts.details else frozenset()
    services = _service_changes(bundle, facts, _edited(files, facts))
    jobs = tuple(job.name for job in bundle.jobs if facts.jobs.get(job.name) != job.digest)
    touched = {change.name for change in services if change.action in ("start", "recreate")} | set(jobs)
    wanted = dict.fromkeys(service.image for service in bundle.services if service.name in touched)
    return NodePlan(
        node=bundle.node,
        files=files,
        services=services,
        jobs=jobs,
        images=tuple(image for image in wanted if not has_image(present, image)),
        needs_verification=facts.verified != bundle.digest and not (files or services or jobs),
        moves=_moves(bundle, facts),
    )


def _moves(bundle: Bundle, facts: NodeFacts) -> tuple[StorageMove, ...]:
    before = facts.record.data if facts.record else {}
    return tuple(
        StorageMove(what=what, before=before[what], now=now)
        for what, now in bundle.data.items()
        if before.get(what, now) != now
    )


def _file_changes(bundle: Bundle, facts: NodeFacts) -> tuple[FileChange, ...]:
    recorded = facts.record.files if facts.record else {}
    wanted = {file.path: file.digest for file in bundle.files}
    changes = []
    for path in sorted({*wanted, *facts.files}):
        there = facts.files.get(path)
        if path not in wanted:
            changes.append(FileChange(path=path, kind="removed"))
        elif there is None:
            changes.append(FileChange(path=path, kind="drifted" if path in recorded else "new"))
        elif there != wanted[path]:
            drifted = recorded.get(path) == wanted[path]
            changes.append(FileChange(path=path, kind="drifted" if drifted else "changed"))
        elif path in facts.wrong_modes:
            changes.append(FileChange(path=path, kind="drifted"))
    return tuple(changes)


def _edited(files: tuple[FileChange, ...], facts: NodeFacts) -> frozenset[str]:
    """Files that are there with another content than was installed."""
    recorded = facts.record.files if facts.record else {}
    paths = [change.path for change in files if change.kind == "drifted"]
    return frozenset(
        path for path in paths if facts.files.get(path, recorded.get(path)) != recorded.get(path)
    )


def _service_changes(bundle: Bundle, facts: NodeFacts, edited: frozenset[str]) -> tuple[ServiceChange, ...]:
    wanted = {service.name for service in bundle.long_running}
    changes = [
        ServiceChange(name=name, action="remove", reason="no longer part of this node")
        for name, there in sorted(facts.containers.items())
        if name not in wanted and there.digest
    ]
    for service in bundle.long_running:
        there = facts.containers.get(service.name)
        if there is None:
            changes.append(ServiceChange(name=service.name, action="start", reason="is not there"))
        elif there.digest != service.digest:
            changes.append(ServiceChange(name=service.name, action="recreate", reason="its settings change"))
        elif not there.running:
            changes.append(
                ServiceChange(name=service.name, action="start", reason=f"is not running: {there.status}")
            )
        elif read := next((path for path in service.config_files if path in edited), None):
            reason = f"{read}, which it reads, was changed by hand"
            changes.append(ServiceChange(name=service.name, action="restart", reason=reason))
        elif there.health == "unhealthy":
            changes.append(ServiceChange(name=service.name, action="restart", reason="is unhealthy"))
        elif there.health == "starting" and not _seen_well(service, bundle, facts):
            changes.append(ServiceChange(name=service.name, action="wait", reason="is still starting"))
    return tuple(changes)


def _seen_well(service: BundleService, bundle: Bundle, facts: NodeFacts) -> bool:
    """Whether the service was awaited as it is: an engine calls it starting for an interval after that."""
    record = facts.record
    kept = record and facts.verified == record.digest and record.services.get(service.name) == service.digest
    return facts.verified == bundle.digest or bool(kept)
