"""Runs checks: every node at once, all looks of a node in one round trip, whatever breaks a finding."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from oz_installer.checks.base import Check, InstallationCheck, NodeCheck, ProbeCheck, ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.errors import ConnectError, OzError, unexpected
from oz_installer.remote.parallel import start_all
from oz_installer.text import safe_line

T = TypeVar("T")
Tell = Callable[[Finding], None]

LIMIT_SECONDS = 15.0
"""After this, what has not answered is told as not answering."""

SILENCE_SECONDS = 12.0
_TURN_SECONDS = 0.1
# Starting programs is what a look costs, so pieces use the shell's own means; ``show KEY COMMAND`` prints a
# line without a subshell. An engine that hangs costs five seconds once: the piece that meets it tells the
# shell around it by a signal, and the others do not ask any more. ``patience`` is less with one that is slow.
_HEAD = """LC_ALL=C; export LC_ALL
hung= patience=5
trap 'hung=yes' USR1
soon() {
  case $1 in
    docker | podman | docker-compose) [ -z "$hung" ] || return 124; timeout $patience "$@" ;;
    *) timeout 5 "$@" ;;
  esac
  set -- $? "$1"
  [ "$1" != 143 ] || set -- 124 "$2"  # so does busybox call it
  case $1,$2 in 124,docker | 124,podman) kill -USR1 $$ ;; esac
  return "$1"
}
section() { printf '\\n@%s\\n' "$1"; }
show() { printf '%s ' "$1"; shift; "$@"; set -- $?; echo; return "$1"; }
nl='
'
"""


@dataclass(frozen=True, kw_only=True)
class CheckOutput:
    """What was learned of one node: findings, facts worth showing, and all facts by check.

    ``unreached``: there is nothing but the finding that the node cannot be reached.
    """

    findings: tuple[Finding, ...] = ()
    unreached: bool = False
    shown: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Work for a thread of its own: ``late`` is told when it is not over in time."""

    work: Callable[[], CheckOutput]
    late: Finding
    node: str = ""


def run_checks(
    checks: Sequence[Check[Any]],
    context: CheckContext,
    tell: Tell,
    stop: threading.Event,
    *,
    limit: float = LIMIT_SECONDS,
) -> None:
    """Run all checks on all nodes at once; ``tell`` is called in this thread, as answers come.

    Ends within ``limit`` seconds whatever a node does, and at once when ``stop`` is set.
    """
    jobs = _jobs(checks, context, limit)
    known: dict[str, dict[str, Any]] = {}
    gone: set[str] = set()
    held: list[tuple[str, Finding]] = []  # of nodes that cannot be reached: one finding is enough for each
    for key, future in as_completed({key: job.work for key, job in jobs.items()}, stop, limit):
        job = jobs[key]
        looked = CheckOutput(findings=(job.late,)) if future is None else future.result()
        for name, facts in looked.facts.items():
            known.setdefault(name, {})[job.node] = facts
        if looked.unreached and key != f"look/{job.node}":
            held += [(job.node, finding) for finding in looked.findings]
            continue
        for finding in looked.findings:
            if finding.check == "look" and finding.node in gone:
                continue
            if finding.check == "look" and finding.node and (looked.unreached or not job.node):
                gone.add(finding.node)
            tell(finding)
    for node, finding in held:
        if node not in gone:
            tell(finding)
    if stop.is_set():
        return
    for check in checks:
        if isinstance(check, NodeCheck):
            for finding in _across(check, context, known.get(check.name, {})):
                tell(finding)


def _jobs(checks: Sequence[Check[Any]], context: CheckContext, limit: float) -> dict[str, _Job]:
    """All looks of a node are one job, every visit and every survey another."""
    looks = [check for check in checks if isinstance(check, ShellCheck)]
    jobs: dict[str, _Job] = {}
    for node in context.nodes:
        if mine := [look for look in looks if node in look.nodes(context)]:
            late = _late("look", "Node", node, limit)
            jobs[f"look/{node.name}"] = _Job(
                work=partial(_looked, mine, context, node), late=late, node=node.name
            )
    for check in checks:
        if isinstance(check, ProbeCheck):
            for node in check.nodes(context):
                late = _late(check.name, check.title, node, limit)
                work = partial(_visited, check, context, node)
                jobs[f"{check.name}/{node.name}"] = _Job(work=work, late=late, node=node.name)
        elif isinstance(check, InstallationCheck):
            late = _late(check.name, check.title, None, limit)
            jobs[check.name] = _Job(work=partial(_surveyed, check, context), late=late)
    return jobs


def _across(check: NodeCheck[Any], context: CheckContext, known: Mapping[str, Any]) -> Iterator[Finding]:
    """Facts in the order of the nodes, whichever answered first."""
    try:
        ordered = {node.name: known[node.name] for node in context.nodes if node.name in known}
        yield from list(check.across(context, ordered))
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
        yield check_error(check, None, error)


def as_completed(
    work: Mapping[str, Callable[[], T]], stop: threading.Event, limit: float
) -> Iterator[tuple[str, Future[T] | None]]:
    """Do all of it at once; each key when it is over, those that are not over in time with None.

    Ends at once when ``stop`` is set. What is left behind goes on in threads that keep nobody waiting.
    """
    pending = start_all(work, lambda key: work[key](), name="check")
    until = time.monotonic() + limit
    while pending and not stop.is_set():
        wait(pending.values(), timeout=_TURN_SECONDS, return_when=FIRST_COMPLETED)
        for key in [key for key, future in pending.items() if future.done()]:
            if stop.is_set():
                return
            yield key, pending.pop(key)
        if time.monotonic() > until:
            yield from ((key, None) for key in pending)
            return


def run_shell_checks(
    looks: Sequence[ShellCheck[Any]], context: CheckContext, node: CheckedNode
) -> CheckOutput:
    """One round trip to a node. Raises OzError when the node cannot be asked."""
    findings: list[Finding] = []
    shown: list[tuple[str, str]] = []
    known: dict[str, Any] = {}
    pieces: dict[str, str] = {}
    for one in looks:
        try:
            pieces[one.name] = one.script(context, node)
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
            findings.append(check_error(one, node, error))
    transport = context.transport(node.name)
    script = combine_scripts(pieces, [one.prelude(context) for one in looks])
    answer = transport.run(("sh", "-c", script), timeout=SILENCE_SECONDS)
    parts = sections(answer.text)
    if "end" not in parts:
        reason = safe_line(answer.stderr_text or answer.text) or "nothing"
        raise OzError(f"its answer is not whole; it said: {reason}", "Does its login have a plain shell?")
    for one in looks:
        if one.name not in pieces:
            continue
        try:
            facts = known[one.name] = one.parse(parts[one.name])
            shown += one.display(facts)
            findings += one.judge(context, node, facts)
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
            findings.append(check_error(one, node, error))
    return CheckOutput(findings=tuple(findings), shown=tuple(shown), facts=known)


def _visited(check: ProbeCheck[Any], context: CheckContext, node: CheckedNode) -> CheckOutput:
    """One check of one node; whatever goes wrong is a finding."""
    try:
        facts = check.probe(context, node)
        return CheckOutput(findings=tuple(check.judge(context, node, facts)), facts={check.name: facts})
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
        lost = isinstance(error, ConnectError) and error.node in (None, node.name)
        return CheckOutput(findings=(check_error(check, node, error),), unreached=lost)


def _surveyed(check: InstallationCheck[Any], context: CheckContext) -> CheckOutput:
    """The same of a survey."""
    try:
        return CheckOutput(findings=tuple(check.judge(context, check.probe(context))))
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
        return CheckOutput(findings=(check_error(check, None, error),))


def check_error(check: Check[Any], node: CheckedNode | None, error: Exception) -> Finding:
    """What is told of a check that could not be made."""
    if isinstance(error, ConnectError) and node and error.node and error.node != node.name:
        seen = f"could not be tried without {error.node}, which cannot be reached"
        hint = f"Mend what is told of {error.node}, then check again."
        return check.finding(node, "warning", seen, hint=hint)
    if isinstance(error, ConnectError):
        seen = f"could not be tried: the node itself cannot be reached: {safe_line(error.message, 400)}"
        return check.finding(node, "failure", seen, hint=error.hint)
    if isinstance(error, OzError):
        return check.finding(node, "failure", safe_line(error.message, 400), hint=error.hint)
    fault = unexpected(error, "the check itself broke")
    hint = f"{fault.hint} The other checks are not affected."
    return check.finding(node, "failure", safe_line(fault.message, 400), hint=hint)


def sort_findings(
    findings: Sequence[Finding], nodes: Sequence[str], checks: Sequence[Check[Any]]
) -> list[Finding]:
    """The order of a report: by node, then by check, then as the check told them."""
    rank = {check.name: place for place, check in enumerate(checks)}
    place = {name: number for number, name in enumerate(nodes)}
    return sorted(findings, key=lambda one: (place.get(one.node or "", len(place)), rank.get(one.check, -1)))


def combine_scripts(pieces: Mapping[str, str], before: Sequence[str] = ()) -> str:
    """One script of the pieces, each in a shell and a section of its own, after what several of them need."""
    first = "".join(f"{{\n{text}\n}} 2>/dev/null\n" for text in dict.fromkeys(before) if text)
    body = "".join(f"section {name}\n(\n{piece}\n) 2>/dev/null\n" for name, piece in pieces.items())
    return f"{_HEAD}{first}{body}section end\n"


def sections(text: str) -> dict[str, str]:
    """What each piece printed."""
    parts = re.split(r"(?:^|\n)@([a-z0-9-]+)\n", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _looked(looks: Sequence[ShellCheck[Any]], context: CheckContext, node: CheckedNode) -> CheckOutput:
    try:
        return run_shell_checks(looks, context, node)
    except Exception as error:  # noqa: BLE001 - a node that cannot be asked is a finding
        return CheckOutput(
            findings=(unreachable_finding(node, error),), unreached=isinstance(error, ConnectError)
        )


def unreachable_finding(node: CheckedNode, error: Exception) -> Finding:
    """What is told of a node that cannot be asked; whoever finds that first, it is told once."""
    hint = error.hint if isinstance(error, OzError) else "Is the node alive and the network up?"
    message = error.message if isinstance(error, OzError) else f"{type(error).__name__}: {error}"
    return Finding(
        id=f"look/{node.name}",
        subject="Node",
        node=node.name,
        level="failure",
        seen=f"cannot be examined: {safe_line(message, 400)}",
        hint=hint,
    )


def _late(name: str, title: str, node: CheckedNode | None, limit: float) -> Finding:
    return Finding(
        id=f"{name}/{node.name}" if node else name,
        subject=title,
        node=node.name if node else None,
        level="failure",
        seen=f"no answer within {limit:g} s",
        hint="Is a node overloaded, or a command on it stuck (a dead mount, a hanging engine)?",
    )
