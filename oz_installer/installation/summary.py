"""What the operator may want to see of an installation: states, differences."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from oz_installer.answers.local_files import typed_secrets_dir
from oz_installer.deploy.compose.facts import ContainerFact, NodeFacts
from oz_installer.deploy.plan import Plan, TargetPlan
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.installation.nodes.read_facts import read_facts
from oz_installer.installation.prepare import Prepared
from oz_installer.remote.parallel import start_all, wait_all
from oz_installer.render.compose.bundle import Bundle
from oz_installer.topology.summary import Summary, summary_of


def summarise(prepared: Prepared, stop: threading.Event | None = None) -> Summary:
    """What runs where now, and where the report of the last run is. Looks at the nodes again. Raises
    Interrupted soon after ``stop`` is set."""
    summary = summary_from(
        prepared.desired_state, read_facts(prepared.desired_state, prepared.transports, stop=stop)
    )
    report = prepared.report.write(summary)
    if trouble := prepared.report.write_error:
        notes = (*summary.notes, f"The report of this run could not be written: {trouble}.")
        return replace(summary, notes=notes)
    return replace(summary, report=report)


def summary_from(desired_state: DesiredState, facts: Mapping[str, NodeFacts]) -> Summary:
    """What runs where, on the nodes that the facts are of."""
    states: dict[str, str] = {}
    for name, seen in facts.items():
        states |= _states(desired_state.bundles[name], seen)
    kept, typed = desired_state.secrets_file.exists(), typed_secrets_dir(desired_state.path)
    return summary_of(
        desired_state.topology,
        states,
        nodes=facts,
        secrets_file=desired_state.secrets_file if kept else None,
        typed_secrets=typed if typed.is_dir() else None,
        answers_file=desired_state.path,
        admin_email=desired_state.answers.admin.email,
        admin_kept=kept and desired_state.answers.admin.password is None,
    )


def _states(bundle: Bundle, facts: NodeFacts) -> Mapping[str, str]:
    """States by the record, where there is one: answers that were changed since are for ``plan`` to tell."""
    record = facts.record
    verified = facts.verified == (record.digest if record else bundle.digest)
    states = {}
    for service in bundle.services:
        if service.job:
            wanted = record.jobs.get(service.name, service.digest) if record else service.digest
            state = "finished" if facts.jobs.get(service.name) == wanted else "not done"
        else:
            state = _state(facts.containers.get(service.name), verified)
        states[f"{bundle.node}/{service.name}"] = state
    return states


def _state(there: ContainerFact | None, verified: bool) -> str:
    if there is None:
        return "missing"
    if not there.running:
        return "stopped"
    # an engine says "starting" for a whole interval after our own run of the check has passed
    return "healthy" if there.health == "starting" and verified else there.health or "running"


def with_diffs(prepared: Prepared, stop: threading.Event | None = None) -> Plan:
    """The plan with a unified diff of every file that differs, secrets masked. One more look a node, all at
    once. Raises Interrupted soon after ``stop`` is set.

    On a node where nothing is installed there is nothing to compare with: ``render`` shows those files.
    """
    plans = {plan.target: plan for plan in prepared.plan.targets}
    differing = [name for name, plan in plans.items() if plan.files and prepared.facts[name].record]
    looks = start_all(differing, lambda name: _with_diffs(prepared, plans[name]), name="diff")
    found = {name: future.result() for name, future in wait_all(looks, stop).items()}
    return replace(prepared.plan, targets=tuple((plans | found).values()))


def _with_diffs(prepared: Prepared, plan: TargetPlan) -> TargetPlan:
    from oz_installer.deploy.compose.diffs import add_diffs

    desired_state = prepared.desired_state
    shown = desired_state.masked_files(plan.target)
    wanted = {
        file.path: shown.get(file.path, file.content) for file in desired_state.bundles[plan.target].files
    }
    install_dir, masker = desired_state.answers.install_dir, desired_state.secrets.masker()
    return add_diffs(plan, wanted, set(shown), prepared.transports[plan.target], install_dir, masker)
