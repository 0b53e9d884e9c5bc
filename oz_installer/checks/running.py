"""Runs checks: every node at once, all looks of a node in one round trip, whatever breaks a finding."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from oz_installer.checks.check import Check, Look, Visit
from oz_installer.checks.model import Finding, Site, Spot
from oz_installer.checks.text import said
from oz_installer.errors import ConnectError, OzError
from oz_installer.remote.together import together

T = TypeVar("T")
Tell = Callable[[Finding], None]

LIMIT_SECONDS = 15.0
"""After this, what has not answered is told as not answering."""

SILENCE_SECONDS = 12.0
_TURN_SECONDS = 0.1
_HEAD = 'LC_ALL=C; export LC_ALL; soon() { timeout 5 "$@"; }; section() { printf \'\\n@%s\\n\' "$1"; }\n'


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What one round trip to a node gave: findings, and facts worth showing."""

    findings: tuple[Finding, ...]
    shown: tuple[tuple[str, str], ...] = ()


def run(
    checks: Sequence[Check[Any]],
    site: Site,
    tell: Tell,
    stop: threading.Event,
    *,
    limit: float = LIMIT_SECONDS,
) -> None:
    """Run all checks on all nodes at once; ``tell`` is called in this thread, as answers come.

    Ends within ``limit`` seconds whatever a node does, and at once when ``stop`` is set.
    """
    looks = [check for check in checks if isinstance(check, Look)]
    work: dict[str, Callable[[], Sequence[Finding]]] = {}
    late: dict[str, Finding] = {}
    for spot in site.spots:
        if mine := [look for look in looks if spot in look.spots(site)]:
            key = f"look/{spot.name}"
            work[key] = partial(_looked, mine, site, spot)
            late[key] = _late("look", "Node", spot, limit)
    for check in checks:
        if isinstance(check, Visit):
            for spot in check.spots(site):
                key = f"{check.name}/{spot.name}"
                work[key] = partial(visit, check, site, spot)
                late[key] = _late(check.name, check.title, spot, limit)
    for key, future in as_they_come(work, stop, limit):
        for finding in [late[key]] if future is None else future.result():
            tell(finding)


def as_they_come(
    work: Mapping[str, Callable[[], T]], stop: threading.Event, limit: float
) -> Iterator[tuple[str, Future[T] | None]]:
    """Do all of it at once; each key when it is over, those that are not over in time with None.

    Ends at once when ``stop`` is set. What is left behind goes on in threads that keep nobody waiting.
    """
    pending = together(work, lambda key: work[key](), name="check")
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


def look(looks: Sequence[Look[Any]], site: Site, spot: Spot) -> Looked:
    """One round trip to a node. Raises OzError when the node cannot be asked."""
    findings: list[Finding] = []
    shown: list[tuple[str, str]] = []
    pieces: dict[str, str] = {}
    for one in looks:
        try:
            pieces[one.name] = one.script(site, spot)
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
            findings.append(broken(one, spot, error))
    transport = site.reach(spot.name)
    answer = transport.run(("sh", "-c", whole_script(pieces)), timeout=SILENCE_SECONDS)
    parts = sections(answer.text)
    if "end" not in parts:
        reason = said(answer.errors or answer.text) or "nothing"
        raise OzError(f"its answer is not whole; it said: {reason}", "Does its login have a plain shell?")
    for one in looks:
        if one.name not in pieces:
            continue
        try:
            facts = one.parse(parts[one.name])
            shown += one.shown(facts)
            findings += one.judge(site, spot, facts)
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
            findings.append(broken(one, spot, error))
    return Looked(findings=tuple(findings), shown=tuple(shown))


def visit(check: Visit[Any], site: Site, spot: Spot) -> list[Finding]:
    """One check of one node; whatever goes wrong is a finding."""
    try:
        return list(check.judge(site, spot, check.probe(site, spot)))
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
        return [broken(check, spot, error)]


def broken(check: Check[Any], spot: Spot, error: Exception) -> Finding:
    """What is told of a check that could not be made."""
    if isinstance(error, ConnectError):
        seen = f"could not be tried: the node itself cannot be reached: {said(error.message, 400)}"
        return check.finding(spot, "failure", seen, hint=error.hint)
    if isinstance(error, OzError):
        return check.finding(spot, "failure", said(error.message, 400), hint=error.hint)
    seen = f"the check itself broke: {type(error).__name__}: {said(error)}"
    hint = "This is a fault of oz-install: please send us this line. The other checks stand."
    return check.finding(spot, "failure", seen, hint=hint)


def in_order(
    findings: Sequence[Finding], nodes: Sequence[str], checks: Sequence[Check[Any]]
) -> list[Finding]:
    """The order of a report: by node, then by check, then as the check told them."""
    rank = {check.name: place for place, check in enumerate(checks)}
    place = {name: number for number, name in enumerate(nodes)}
    return sorted(findings, key=lambda one: (place.get(one.node or "", len(place)), rank.get(one.check, -1)))


def whole_script(pieces: Mapping[str, str]) -> str:
    """One script of the pieces, each in a shell and a section of its own."""
    body = "".join(f"section {name}\n(\n{piece}\n) 2>/dev/null\n" for name, piece in pieces.items())
    return f"{_HEAD}{body}section end\n"


def sections(text: str) -> dict[str, str]:
    """What each piece printed."""
    parts = re.split(r"(?:^|\n)@([a-z0-9-]+)\n", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _looked(looks: Sequence[Look[Any]], site: Site, spot: Spot) -> Sequence[Finding]:
    try:
        return look(looks, site, spot).findings
    except Exception as error:  # noqa: BLE001 - a node that cannot be asked is a finding
        hint = error.hint if isinstance(error, OzError) else "Is the node alive and the network up?"
        message = error.message if isinstance(error, OzError) else f"{type(error).__name__}: {error}"
        return [_node_finding(spot, f"cannot be examined: {said(message, 400)}", hint)]


def _node_finding(spot: Spot, seen: str, hint: str) -> Finding:
    return Finding(
        id=f"look/{spot.name}", subject="Node", node=spot.name, level="failure", seen=seen, hint=hint
    )


def _late(name: str, title: str, spot: Spot, limit: float) -> Finding:
    return Finding(
        id=f"{name}/{spot.name}",
        subject=title,
        node=spot.name,
        level="failure",
        seen=f"no answer within {limit:g} s",
        hint="Is the node overloaded, or a command on it stuck (a dead mount, a hanging engine)?",
    )
