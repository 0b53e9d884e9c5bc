"""Plan the changes of a node by comparing its bundle with its facts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from oz_installer.deploy.change import Change, FileAction, ServiceAction
from oz_installer.deploy.compose.facts import LOST, NodeFacts
from oz_installer.deploy.plan import Plan, TargetPlan
from oz_installer.image_reference import has_image
from oz_installer.render.compose.bundle import Bundle, BundleService
from oz_installer.render.data_locations import data_left


def plan_changes(bundles: Mapping[str, Bundle], facts: Mapping[str, NodeFacts]) -> Plan:
    """Return the changes of every node, in the operator's order."""
    before = {node: one.record.data for node in bundles if (one := facts[node]).record}
    now = {node: bundle.data for node, bundle in bundles.items() if bundle.data}
    left = list(data_left(before, now))
    return Plan(
        targets=tuple(
            replace(plan_node(bundle, facts[node]), moves=tuple(move for at, move in left if at == node))
            for node, bundle in bundles.items()
        )
    )


def plan_node(bundle: Bundle, facts: NodeFacts) -> TargetPlan:
    """Return the changes of one node; services and jobs in the order of their start."""
    files = _file_changes(bundle, facts)
    services = _service_changes(bundle, facts, _edited(files, facts))
    jobs = _job_changes(bundle, facts)
    unverified = facts.verified != bundle.digest and not (files or services or jobs)
    verification = (Change(target=bundle.node, kind="verification", name=bundle.node, action="verify"),)
    return TargetPlan(
        target=bundle.node,
        changes=(
            *files,
            *services,
            *jobs,
            *_image_changes(bundle, facts, (*services, *jobs)),
            *(verification if unverified else ()),
        ),
    )


def _job_changes(bundle: Bundle, facts: NodeFacts) -> tuple[Change, ...]:
    done = facts.jobs
    return tuple(
        Change(
            target=bundle.node,
            kind="job",
            name=job.name,
            action="run",
            reason="what it made is lost" if done.get(job.name) == LOST else "",
        )
        for job in bundle.jobs
        if done.get(job.name) != job.digest
    )


def _image_changes(bundle: Bundle, facts: NodeFacts, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return pulls of missing images for services and jobs that start, are recreated or run."""
    present = facts.details.images if facts.details else frozenset()
    touched = {change.name for change in changes if change.action in ("start", "recreate", "run")}
    wanted = dict.fromkeys(service.image for service in bundle.services if service.name in touched)
    missing = (image for image in wanted if not has_image(present, image))
    return tuple(Change(target=bundle.node, kind="image", name=image, action="pull") for image in missing)


def _file_changes(bundle: Bundle, facts: NodeFacts) -> tuple[Change, ...]:
    wanted = {file.path: file.digest for file in bundle.files}
    paths = sorted({*wanted, *facts.files})
    actions: dict[str, FileAction | None] = {path: _file_action(path, wanted, facts) for path in paths}
    return tuple(
        Change(target=bundle.node, kind="file", name=path, action=action)
        for path, action in actions.items()
        if action
    )


def _file_action(path: str, wanted: Mapping[str, str], facts: NodeFacts) -> FileAction | None:
    """Return the action for a file of the bundle or of the node; None when it is right."""
    recorded = facts.record.files if facts.record else {}
    there = facts.files.get(path)
    if path not in wanted:
        return "removed"
    if there is None:
        return "drifted" if path in recorded else "new"
    if there != wanted[path]:
        return "drifted" if recorded.get(path) == wanted[path] else "changed"
    return "drifted" if path in facts.wrong_modes else None


def _edited(files: tuple[Change, ...], facts: NodeFacts) -> frozenset[str]:
    """Return the files whose content was changed after they were installed."""
    recorded = facts.record.files if facts.record else {}
    paths = [change.name for change in files if change.action == "drifted"]
    return frozenset(
        path for path in paths if facts.files.get(path, recorded.get(path)) != recorded.get(path)
    )


def _service_changes(bundle: Bundle, facts: NodeFacts, edited: frozenset[str]) -> tuple[Change, ...]:
    def change(name: str, action: ServiceAction, reason: str) -> Change:
        return Change(target=bundle.node, kind="service", name=name, action=action, reason=reason)

    wanted = {service.name for service in bundle.long_running}
    obsolete = (
        name for name, there in sorted(facts.containers.items()) if name not in wanted and there.digest
    )
    changes = [change(name, "remove", "no longer part of this node") for name in obsolete]
    for service in bundle.long_running:
        if found := _service_action(service, bundle, facts, edited):
            changes.append(change(service.name, *found))
    return tuple(changes)


def _service_action(
    service: BundleService, bundle: Bundle, facts: NodeFacts, edited: frozenset[str]
) -> tuple[ServiceAction, str] | None:
    """Return the action for a service and its reason; None when there is nothing to do."""
    there = facts.containers.get(service.name)
    if there is None:
        return "start", "is missing"
    if there.digest != service.digest:
        return "recreate", "its settings change"
    if not there.running:
        return "start", f"is not running: {there.status}"
    if read := next((path for path in service.config_files if path in edited), None):
        return "restart", f"{read}, which it reads, was changed by hand"
    if there.health == "unhealthy":
        return "restart", "is unhealthy"
    if there.health == "starting" and not _was_verified(service, bundle, facts):
        return "wait", "is still starting"
    return None


def _was_verified(service: BundleService, bundle: Bundle, facts: NodeFacts) -> bool:
    """Return whether a run saw this service healthy.

    The engine still reports "starting" for an interval after that.
    """
    record = facts.record
    kept = record and facts.verified == record.digest and record.services.get(service.name) == service.digest
    return facts.verified == bundle.digest or bool(kept)
