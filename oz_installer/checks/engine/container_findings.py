"""Findings about what the test container reaches, compared with its node. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.engine.container_facts import ContainerFacts, TriedAddress
from oz_installer.checks.engine.container_network import unseen_finding
from oz_installer.checks.engine.container_targets import ContainerTarget, container_targets
from oz_installer.text import join_and

_WHY = "The services run in containers and would not reach it."


def view_findings(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, facts: ContainerFacts
) -> Iterator[Finding]:
    """Yield one finding for all that both reach, and one for each difference.

    What neither reaches is a finding of the check that asks from the node, or does not listen yet."""
    targets = [one for one in container_targets(context, node) if one.port]
    pairs = [(one, facts.node.get(one.key), facts.inside.get(one.key)) for one in targets]
    tried = [(target, outer, inner) for target, outer, inner in pairs if outer and inner]
    if any(outer.untried or inner.untried for _, outer, inner in tried):
        yield unseen_finding(check, node)
        return
    differing = {
        target.key: _difference(check, node, target, outer, inner, facts) for target, outer, inner in tried
    }
    alike = [target.title for target, _, inner in tried if inner.open and differing[target.key] is None]
    if alike or not any(differing.values()):
        later = "; nothing that it connects to answers yet" if targets else ""
        seen = f"a container reaches {join_and(alike, 5)}" if alike else f"a container gets a network{later}"
        yield check.finding(node, "ok", seen, about="network", subject="Container network")
    yield from (finding for finding in differing.values() if finding is not None)


def _difference(
    check: NodeCheck[Any],
    node: CheckedNode,
    target: ContainerTarget,
    outer: TriedAddress,
    inner: TriedAddress,
    facts: ContainerFacts,
) -> Finding | None:
    """Return what the container sees otherwise than its node; None when it is the same."""
    if outer.loops:
        seen = f"{target.host} is {outer.ip} on the node: for a container, that is the container itself"
        hint = (
            f"Correct {target.host} in the node's /etc/hosts, or set {target.answer} to the address at which "
            "other machines reach it."
        )
        return _finding(check, node, target, seen, hint)
    if inner.open:
        return _large(check, node, target, outer, inner, facts)
    if not outer.open or not facts.forwards:
        return None
    if outer.ip and not inner.ip:
        seen = f"a container does not resolve {target.host} ({target.title}); the node does: {outer.ip}"
        return _finding(check, node, target, seen, _name_hint(target, outer))
    if (later := facts.again.get(target.key)) is None or not later.open:
        return None  # it listens now and then
    seen = f"a container does not reach {target.title} at {target.address}: {inner.reason}; the node does"
    return _finding(check, node, target, seen, _way_hint(node, target, outer, inner))


def _finding(
    check: NodeCheck[Any], node: CheckedNode, target: ContainerTarget, seen: str, hint: str
) -> Finding:
    return check.finding(
        node,
        "failure" if target.vital else "warning",
        seen,
        about=target.key,
        subject="Container network",
        needed="the same from a container as from the node",
        why=_WHY,
        hint=hint,
    )


def _name_hint(target: ContainerTarget, outer: TriedAddress) -> str:
    where = (
        f"{target.host} stands in the node's /etc/hosts, which containers do not read."
        if outer.in_file
        else "The node resolves it in a way of its own (nsswitch.conf, a local resolver)."
    )
    instead = f", or set {target.answer} to {outer.ip}" if target.answer else ""
    return f"{where} Enter it in the DNS that the node's /etc/resolv.conf names{instead}."


def _way_hint(node: CheckedNode, target: ContainerTarget, outer: TriedAddress, inner: TriedAddress) -> str:
    if outer.ip != inner.ip:
        return (
            f"{target.host} is {outer.ip} on the node and {inner.ip} in a container: correct the node's "
            "/etc/hosts or the DNS, so that both agree."
        )
    return (
        f"Look on {node.name} for rules that stop what containers send (iptables -S FORWARD; iptables -S "
        "DOCKER-USER; nft list ruleset), for a proxy or VPN that only the node uses, and for a route back to "
        "the node's address."
    )


def _large(
    check: NodeCheck[Any],
    node: CheckedNode,
    target: ContainerTarget,
    outer: TriedAddress,
    inner: TriedAddress,
    facts: ContainerFacts,
) -> Finding | None:
    """Return the finding for full-size packets that only the container loses."""
    if not inner.holds_large or outer.holds_large:
        return None
    size = f" (MTU {facts.mtu})" if facts.mtu else ""
    return check.finding(
        node,
        "warning",
        f"a container reaches {target.title} at {target.address}, but full-size packets{size} do not arrive",
        about=f"{target.key}-packets",
        subject="Container network",
        needed="full-size packets, as from the node",
        why="Logins work, and then connections hang as soon as more is sent.",
        hint="Set network.mtu to what the way there carries (ip link shows the node's; 1450 or less with a "
        "VPN or VXLAN), or let ICMP «fragmentation needed» through.",
    )
