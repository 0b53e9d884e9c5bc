"""Findings about the network of the test container: whether it works, what it covers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import NodeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel, Remedy
from oz_installer.checks.engine.container_facts import AddressClash, ContainerFacts
from oz_installer.checks.engine.container_targets import container_targets
from oz_installer.text import join_and

_SUBJECT = "Container network"
_NOT_EXECUTED = (126, 127)
_ROUTES = "10.210.0.0/24"
_FORWARD = "net.ipv4.ip_forward"
_PEERS = {
    "ssh": "the other end of this SSH connection",
    "dns": "a DNS server of the node",
}


def network_findings(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, facts: ContainerFacts
) -> Iterator[Finding]:
    """Yield why the network cannot be made or used, and which addresses it would cover."""
    if facts.refused:
        yield _broken(check, context, node, facts, f"the engine makes no network: {facts.refused}")
    elif facts.outside and facts.outside[0] in _NOT_EXECUTED:
        yield _unseen(check, node, f"its programs do not run in a container: {facts.outside[1]}")
    elif facts.outside:
        text = facts.outside[1] or f"status {facts.outside[0]}"
        yield _broken(check, context, node, facts, f"no container starts on a network: {text}")
    yield from _clash_findings(check, context, node, facts)


def _broken(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, facts: ContainerFacts, seen: str
) -> Finding:
    return check.finding(
        node,
        "failure",
        seen,
        about="network",
        subject=_SUBJECT,
        needed="a bridge network, as Compose makes it",
        why="Compose could not start the containers of Oz. What containers reach was not checked.",
        hint=_hint(context, facts, seen.lower()),
    )


def _hint(context: CheckContext, facts: ContainerFacts, message: str) -> str:
    """Return what to do about an error of the engine."""
    engine = ENGINES[context.answers.engine]
    if ("available" in message and "pool" in message) or "free subnet" in message:
        return (
            f"All address pools of {engine.title} are used up. Set network.subnet to a network that nothing "
            f"uses, such as {_other(facts)}; or remove networks without containers "
            f"({engine.name} network prune)."
        )
    if "overlap" in message:
        return f"Set network.subnet to a network that nothing uses, such as {_other(facts)}."
    if "veth" in message or "operation not supported" in message or "sandbox" in message:
        return (
            "Reboot the node: the running kernel lacks a module, probably because an update has replaced it "
            "(compare uname -r with ls /lib/modules)."
        )
    if engine.has_daemon and ("iptables" in message or "no chain" in message or "nftables" in message):
        return (
            "Restart Docker (systemctl restart docker), which restores its firewall rules: a reload of "
            "firewalld or a flush of iptables has removed them. Without live-restore, all containers stop."
        )
    return "Fix the error of the engine quoted here; its log has the details (journalctl -u docker)."


def _other(facts: ContainerFacts) -> str:
    return facts.subnets.safe or _ROUTES


def _unseen(check: NodeCheck[Any], node: CheckedNode, reason: str) -> Finding:
    return check.finding(
        node,
        "warning",
        f"not checked: {reason}",
        about="network",
        subject=_SUBJECT,
        why="Containers may resolve and reach less than the node, which only the installation would show.",
        hint="Try database and broker from a container by hand, or accept this.",
    )


def unseen_finding(check: NodeCheck[Any], node: CheckedNode) -> Finding:
    """Return the finding for a node whose programs cannot connect."""
    return _unseen(check, node, "the node has no bash, which connects")


def _clash_findings(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, facts: ContainerFacts
) -> Iterator[Finding]:
    """Yield a failure for what the network takes away, or a warning for what another one may."""
    subnets = facts.subnets
    if subnets.overlap:
        subnet, holder = subnets.overlap
        yield _clash(
            check, node, facts, "failure", f"network.subnet {subnet} overlaps with the {holder} of the node"
        )
        return
    held = [one for one in subnets.clashes if one.network and _is_lost(one, facts)]
    new = [one for one in subnets.clashes if not one.network]
    sure = [one for one in new if one.subnet in (subnets.next, context.answers.network.subnet)]
    if held:
        where = f"the network {held[0].network} of the node has {held[0].subnet}"
        yield _clash(check, node, facts, "failure", f"{where}, which covers {_titles(context, node, held)}")
    elif sure:
        where = f"the next network of containers gets {sure[0].subnet}"
        yield _clash(check, node, facts, "failure", f"{where}, which covers {_titles(context, node, sure)}")
    elif new:
        subnet = join_and(dict.fromkeys(one.subnet for one in new))
        where = f"{ENGINES[context.answers.engine].title} may give {subnet}"
        yield _clash(
            check, node, facts, "warning", f"{where} to a network, which covers {_titles(context, node, new)}"
        )


def _is_lost(clash: AddressClash, facts: ContainerFacts) -> bool:
    """Return whether the node does not reach an address; one of its containers may have it."""
    tried = facts.node.get(clash.key)
    return tried is not None and tried.status is not None and not tried.open


def _titles(context: CheckContext, node: CheckedNode, clashes: Sequence[AddressClash]) -> str:
    names = _PEERS | {one.key: one.title for one in container_targets(context, node)}
    return join_and(dict.fromkeys(f"{names.get(one.key, one.key)} ({one.ip})" for one in clashes))


def _clash(
    check: NodeCheck[Any], node: CheckedNode, facts: ContainerFacts, level: FindingLevel, seen: str
) -> Finding:
    return check.finding(
        node,
        level,
        seen,
        about="subnet",
        subject="Container subnet",
        needed="a subnet that holds no address that node or containers use",
        why="A bridge takes the route to its subnet: node and containers no longer reach these addresses."
        + (" What containers reach was not checked." if level == "failure" else ""),
        hint=f"Set network.subnet to a network that nothing in your network uses, such as {_other(facts)}"
        f"{'' if level == 'failure' else '; or accept this'}.",
    )


def forwarding_findings(
    check: NodeCheck[Any], context: CheckContext, node: CheckedNode, facts: ContainerFacts
) -> Iterator[Finding]:
    """Yield whether the kernel forwards packets now and after its settings are loaded again."""
    if facts.rootless or not ENGINES[context.answers.engine].has_daemon:
        return  # forwarding in a namespace of its own, and switched on with each network
    if not facts.forwards:
        remedy = Remedy(
            title="let the kernel forward packets to containers",
            node=node.name,
            commands=(("sysctl", "-w", f"{_FORWARD}=1"),),
            undo=(("sysctl", "-w", f"{_FORWARD}=0"),),
        )
        also = f", and take 0 out of {facts.sysctl}" if facts.sysctl else ""
        yield check.finding(
            node,
            "failure",
            f"the kernel does not forward packets ({_FORWARD} is 0)",
            about="forwarding",
            subject="Forwarding",
            needed=f"{_FORWARD} = 1",
            why="No container reaches another machine, and none is reached from there.",
            hint=f"Run as root: sysctl -w {_FORWARD}=1{also}.",
            remedy=remedy if facts.as_root else None,
        )
    elif facts.sysctl:
        yield check.finding(
            node,
            "warning",
            f"{facts.sysctl} sets {_FORWARD} to 0",
            about="forwarding",
            subject="Forwarding",
            needed=f"{_FORWARD} = 1",
            why="When these settings are loaded again (sysctl --system), all containers are cut off.",
            hint=f"Set {_FORWARD} = 1 there, or in a later file such as /etc/sysctl.d/zz-oz.conf.",
        )
