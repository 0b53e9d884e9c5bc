"""Run checks on all nodes in parallel, one round trip per node.

A check that crashes becomes a finding.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from oz_installer.checks.base import Check, InstallationCheck, NodeCheck, ProbeCheck, ShellCheck
from oz_installer.checks.combined_script import combine_scripts, sections
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.errors import ConnectError, OzError, unexpected
from oz_installer.remote.parallel import start_all
from oz_installer.remote.ssh.login.questions import asking_seconds
from oz_installer.text import safe_line

T = TypeVar("T")
OnFinding = Callable[[Finding], None]

LIMIT_SECONDS = 15.0
"""The time limit of a run: a job that is not done by then is reported as not answering."""

SILENCE_SECONDS = 12.0
_TURN_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class CheckOutput:
    """The results of a node: findings, facts to show, and all facts by check.

    ``unreached``: the only finding is that the node cannot be reached.
    """

    findings: tuple[Finding, ...] = ()
    unreached: bool = False
    shown: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Job:
    """The work of one thread; ``late`` is the finding to report when it does not end in time."""

    work: Callable[[], CheckOutput]
    late: Finding
    node: str = ""


def run_checks(
    checks: Sequence[Check[Any]],
    context: CheckContext,
    on_finding: OnFinding,
    stop: threading.Event,
    *,
    limit: float = LIMIT_SECONDS,
) -> None:
    """Run all checks on all nodes in parallel; ``on_finding`` is called in this thread.

    Ends within ``limit`` seconds whatever a node does, and immediately when ``stop`` is set.
    """
    jobs = _jobs(checks, context, limit)
    known: dict[str, dict[str, Any]] = {}
    unreachable: set[str] = set()
    # Findings of nodes that cannot be reached wait: one finding per such node is enough.
    postponed: list[tuple[str, Finding]] = []
    for key, future in as_completed({key: job.work for key, job in jobs.items()}, stop, limit):
        job = jobs[key]
        output = CheckOutput(findings=(job.late,)) if future is None else future.result()
        for name, facts in output.facts.items():
            known.setdefault(name, {})[job.node] = facts
        if output.unreached and key != f"look/{job.node}":
            postponed += [(job.node, finding) for finding in output.findings]
            continue
        for finding in output.findings:
            if finding.check == "look" and finding.node in unreachable:
                continue
            if finding.check == "look" and finding.node and (output.unreached or not job.node):
                unreachable.add(finding.node)
            on_finding(finding)
    for node, finding in postponed:
        if node not in unreachable:
            on_finding(finding)
    if stop.is_set():
        return
    for check in checks:
        if isinstance(check, NodeCheck):
            for finding in _across(check, context, known.get(check.name, {})):
                on_finding(finding)


def _jobs(checks: Sequence[Check[Any]], context: CheckContext, limit: float) -> dict[str, _Job]:
    """Group all shell checks of a node into one job; every other check is a job of its own."""
    shell_checks = [check for check in checks if isinstance(check, ShellCheck)]
    jobs: dict[str, _Job] = {}
    for node in context.nodes:
        if mine := [check for check in shell_checks if node in check.nodes(context)]:
            late = _late("look", "Node", node, limit)
            jobs[f"look/{node.name}"] = _Job(
                work=partial(_run_shell_checks, mine, context, node), late=late, node=node.name
            )
    for check in checks:
        if isinstance(check, ProbeCheck):
            for node in check.nodes(context):
                late = _late(check.name, check.title, node, limit)
                work = partial(_run_probe_check, check, context, node)
                jobs[f"{check.name}/{node.name}"] = _Job(work=work, late=late, node=node.name)
        elif isinstance(check, InstallationCheck):
            late = _late(check.name, check.title, None, limit)
            jobs[check.name] = _Job(work=partial(_run_installation_check, check, context), late=late)
    return jobs


def _across(check: NodeCheck[Any], context: CheckContext, known: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare the nodes, in the order of the answers."""
    try:
        ordered = {node.name: known[node.name] for node in context.nodes if node.name in known}
        yield from list(check.across(context, ordered))
    except Exception as error:  # noqa: BLE001 - a check that crashes is a finding
        yield check_error(check, None, error)


def as_completed(
    work: Mapping[str, Callable[[], T]], stop: threading.Event, limit: float
) -> Iterator[tuple[str, Future[T] | None]]:
    """Run all work in parallel; yield each key when it is done, with None when it is late.

    The time in which the operator is asked for a code does not count. Ends immediately when ``stop`` is set.
    Unfinished work continues in threads that do not delay the exit.
    """
    pending = start_all(work, lambda key: work[key](), name="check")
    until = time.monotonic() - asking_seconds() + limit
    while pending and not stop.is_set():
        wait(pending.values(), timeout=_TURN_SECONDS, return_when=FIRST_COMPLETED)
        for key in [key for key, future in pending.items() if future.done()]:
            if stop.is_set():
                return
            yield key, pending.pop(key)
        if time.monotonic() - asking_seconds() > until:
            yield from ((key, None) for key in pending)
            return


def run_shell_checks(
    checks: Sequence[ShellCheck[Any]], context: CheckContext, node: CheckedNode
) -> CheckOutput:
    """Run shell checks on a node in one round trip.

    Raises OzError when the node does not answer."""
    findings: list[Finding] = []
    shown: list[tuple[str, str]] = []
    known: dict[str, Any] = {}
    pieces: dict[str, str] = {}
    for one in checks:
        try:
            pieces[one.name] = one.script(context, node)
        except Exception as error:  # noqa: BLE001 - a check that crashes is a finding
            findings.append(check_error(one, node, error))
    transport = context.transport(node.name)
    script = combine_scripts(pieces, [one.prelude(context) for one in checks])
    answer = transport.run(("sh", "-c", script), timeout=SILENCE_SECONDS)
    parts = sections(answer.text)
    if "end" not in parts:
        reason = safe_line(answer.stderr_text or answer.text) or "nothing"
        raise OzError(
            f"its output is incomplete: {reason}",
            "Run this again; if it stays, send this message to Oz Forensics.",
        )
    for one in checks:
        if one.name not in pieces:
            continue
        try:
            facts = known[one.name] = one.parse(parts[one.name])
            shown += one.display(facts)
            findings += one.judge(context, node, facts)
        except Exception as error:  # noqa: BLE001 - a check that crashes is a finding
            findings.append(check_error(one, node, error))
    return CheckOutput(findings=tuple(findings), shown=tuple(shown), facts=known)


def _run_probe_check(check: ProbeCheck[Any], context: CheckContext, node: CheckedNode) -> CheckOutput:
    """Run one check of one node; any error becomes a finding.

    Before a finding is reported, the node must still run commands: a connection that is lost, or a login that
    is refused, looks like a fault of what was asked through it.
    """
    try:
        facts = check.probe(context, node)
        findings = tuple(check.judge(context, node, facts))
        if any(finding.level != "ok" for finding in findings):
            context.transport(node.name).run(("true",), become=False, timeout=SILENCE_SECONDS)
        return CheckOutput(findings=findings, facts={check.name: facts})
    except Exception as error:  # noqa: BLE001 - a check that crashes is a finding
        lost = isinstance(error, ConnectError) and error.node in (None, node.name)
        return CheckOutput(findings=(check_error(check, node, error),), unreached=lost)


def _run_installation_check(check: InstallationCheck[Any], context: CheckContext) -> CheckOutput:
    """Run a check of the whole installation; any error becomes a finding."""
    try:
        return CheckOutput(findings=tuple(check.judge(context, check.probe(context))))
    except Exception as error:  # noqa: BLE001 - a check that crashes is a finding
        return CheckOutput(findings=(check_error(check, None, error),))


def check_error(check: Check[Any], node: CheckedNode | None, error: Exception) -> Finding:
    """Return the finding for a check that could not run."""
    if isinstance(error, ConnectError) and node and error.node and error.node != node.name:
        seen = f"not checked: it needs {error.node}, which cannot be reached"
        hint = f"Fix the findings of {error.node}, then check again."
        return check.finding(node, "warning", seen, hint=hint)
    if isinstance(error, ConnectError):
        seen = f"not checked: the node cannot be reached: {safe_line(error.message, 400)}"
        return check.finding(node, "failure", seen, hint=error.hint)
    if isinstance(error, OzError):
        return check.finding(node, "failure", safe_line(error.message, 400), hint=error.hint)
    fault = unexpected(error, "internal error in this check")
    hint = f"{fault.hint} The other checks are not affected."
    return check.finding(node, "failure", safe_line(fault.message, 400), hint=hint)


def sort_findings(
    findings: Sequence[Finding], nodes: Sequence[str], checks: Sequence[Check[Any]]
) -> list[Finding]:
    """Sort findings for a report: by node, then by check; the order within a check stays."""
    check_index = {check.name: index for index, check in enumerate(checks)}
    node_index = {name: index for index, name in enumerate(nodes)}
    return sorted(
        findings,
        key=lambda one: (node_index.get(one.node or "", len(node_index)), check_index.get(one.check, -1)),
    )


def _run_shell_checks(
    checks: Sequence[ShellCheck[Any]], context: CheckContext, node: CheckedNode
) -> CheckOutput:
    try:
        return run_shell_checks(checks, context, node)
    except Exception as error:  # noqa: BLE001 - a node that does not answer is a finding
        return CheckOutput(
            findings=(unreachable_finding(node, error),), unreached=isinstance(error, ConnectError)
        )


def unreachable_finding(node: CheckedNode, error: Exception) -> Finding:
    """Return the finding for a node that does not answer.

    Its id is fixed, so a run reports it once."""
    hint = error.hint if isinstance(error, OzError) else "Check that the node is up and the network works."
    message = error.message if isinstance(error, OzError) else f"{type(error).__name__}: {error}"
    return Finding(
        id=f"look/{node.name}",
        subject="Node",
        node=node.name,
        level="failure",
        seen=f"cannot be checked: {safe_line(message, 400)}",
        hint=hint,
    )


def _late(name: str, title: str, node: CheckedNode | None, limit: float) -> Finding:
    return Finding(
        id=f"{name}/{node.name}" if node else name,
        subject=title,
        node=node.name if node else None,
        level="failure",
        seen=f"no answer within {limit:g} s",
        hint="Check the node for high load (uptime) and for a stuck command (a dead mount, a hung engine).",
    )
