"""States of a node's services, computed from its bundle and facts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from oz_installer.deploy.compose.facts import ContainerFact, NodeFacts
from oz_installer.render.compose.bundle import Bundle
from oz_installer.topology.summary import NOT_VERIFIED


def service_states(bundle: Bundle, facts: NodeFacts) -> Mapping[str, str]:
    """Return states by ``node/service``, judged by the record, or by the bundle without one.

    ``plan`` reports answers that changed since the last run; this does not.
    """
    record = facts.record
    verified = facts.verified == (record.digest if record else bundle.digest)
    states = {}
    for service in bundle.services:
        if service.job:
            wanted = record.jobs.get(service.name, service.digest) if record else service.digest
            state = "finished" if facts.jobs.get(service.name) == wanted else "not done"
        else:
            state = _container_state(facts.containers.get(service.name), verified=verified)
        states[f"{bundle.node}/{service.name}"] = state
    return states


def is_not_installed(facts: NodeFacts) -> bool:
    """Return whether a node has neither a record nor a container of an installation."""
    return facts.record is None and not any(there.digest for there in facts.containers.values())


def _container_state(there: ContainerFact | None, *, verified: bool) -> str:
    if there is None:
        return "missing"
    if not there.running:
        return "stopped"
    if not verified:  # the engine asks the container only; nobody has seen that others reach it
        return NOT_VERIFIED if there.is_healthy else there.health
    # an engine reports "starting" for a whole interval after oz-install's own run of the check has passed
    return "healthy" if there.health == "starting" else there.health or "running"
