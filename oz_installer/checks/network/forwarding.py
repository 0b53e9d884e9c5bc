"""What becomes of a packet to a port that Docker publishes: it passes FORWARD, and DOCKER-USER in it. Pure.

Its target is a container's own address and port by then, behind a bridge whose name nobody knows before the
installation. So a condition is met, not met, or perhaps: what may be met stops, what is sure lets pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from oz_installer.checks.network.firewall_rules import ForwardChain, Match, Rule

DOCKER_USER = "DOCKER-USER"
Met = Literal["yes", "no", "perhaps"]
_NEUTRAL = ("--comment", "--limit", "--limit-burst", "--ctproto", "--syn")
# Conditions that an ordinary new connection of one node to another does not meet: too many, too often, known
# for evil, marked, of this machine itself.
_RARE = frozenset(
    {"set", "recent", "connlimit", "hashlimit", "connbytes", "quota", "statistic", "string", "bpf", "u32"}
    | {"mark", "connmark", "geoip", "addrtype", "time", "length", "ttl", "pkttype", "mac", "owner", "policy"}
    | {"physdev", "rpfilter", "socket"}
)
_NOT: dict[Met, Met] = {"yes": "no", "no": "yes", "perhaps": "perhaps"}
_FEW_PORTS = 1000


@dataclass(frozen=True, kw_only=True)
class ForwardedConnection:
    """A new connection from another node: from which address, in through which device (empty where that is
    not known), to which published port, and which one of the container that is."""

    source: str
    device: str
    port: int
    inside: int


def blocking_rule(gates: Sequence[ForwardChain], passage: ForwardedConnection, *, docker: bool) -> str:
    """The rule that stops it, as the tool prints it; empty where none does. ``docker``: its bridge is there;
    where it is not, Docker has yet to put its own rules in front of what FORWARD has."""
    for gate in gates:
        if gate.docker and not docker and not _has_docker(gate):
            continue
        if rule := _stops(gate, passage):
            return rule.text
    return ""


def _has_docker(gate: ForwardChain) -> bool:
    return any(_is_docker(name) for name in gate.chains)


def _is_docker(chain: str) -> bool:
    """Whether Docker itself makes this chain, and lets in there what it publishes."""
    return chain.startswith("DOCKER") and chain != DOCKER_USER


def _stops(gate: ForwardChain, passage: ForwardedConnection) -> Rule | None:
    base = gate.chains.get(gate.base, ())
    if gate.docker and not any(rule.target == DOCKER_USER for rule in base):
        end, rule = _walk(gate, DOCKER_USER, passage, frozenset())  # Docker makes the jump when it starts
        if end == "stopped":
            return rule
    end, rule = _walk(gate, gate.base, passage, frozenset())
    if end == "on" and not (gate.docker and _has_docker(gate)):
        return gate.policy
    return rule


def _walk(
    gate: ForwardChain, chain: str, passage: ForwardedConnection, seen: frozenset[str]
) -> tuple[Literal["stopped", "through", "on"], Rule | None]:
    for rule in gate.chains.get(chain, ()):
        met = _met(rule, passage)
        if met == "no":
            continue
        if rule.target in ("DROP", "REJECT"):
            return "stopped", rule
        if gate.docker and chain == gate.base and _is_docker(rule.target):
            return "through", None
        if rule.target == "ACCEPT" and met == "yes":
            return "through", None
        if rule.target == "RETURN" and met == "yes":
            return "on", None
        if rule.target in gate.chains and rule.target not in seen:
            end, told = _walk(gate, rule.target, passage, seen | {chain})
            if end == "stopped" or (end == "through" and met == "yes"):
                return end, told
            if rule.final and met == "yes":
                return "on", None
    return "on", None


def _met(rule: Rule, passage: ForwardedConnection) -> Met:
    every = [_term(term, passage) for term in rule.terms]
    return "no" if "no" in every else "perhaps" if "perhaps" in every else "yes"


def _term(term: Match, passage: ForwardedConnection) -> Met:
    met = _positive(term, passage)
    return _NOT[met] if term.negated else met


def _positive(term: Match, passage: ForwardedConnection) -> Met:
    """Of the condition without its negation."""
    option, values = term.option, [one for value in term.values for one in value.split(",")]
    if option in _NEUTRAL:
        return "yes"
    if option in ("-s", "--src-range"):
        return _any(_source(value, passage) for value in values)
    if option == "-d":
        return _any(_target(value) for value in values)
    if option == "-p":
        return _yes(any(value in ("tcp", "all", "6") for value in values))
    if option == "family":
        return _yes("ipv4" in values)
    if option == "-i":
        return _any(_in(value, passage.device) for value in values)
    if option == "-o":
        return _any(_out(value) for value in values)
    if option in ("--dport", "--dports"):
        return _yes(any(_within(value, passage.inside) for value in values))
    if option == "--ctorigdstport":
        return _yes(any(_within(value, passage.port) for value in values))
    if option in ("--sport", "--sports"):
        return _any("no" if _width(value) < _FEW_PORTS else "perhaps" for value in values)
    if option in ("--ctstate", "--state"):
        return _yes(any(value.upper() in ("NEW", "DNAT") for value in values))
    if option == "--ctdir":
        return _yes("ORIGINAL" in [value.upper() for value in values])
    if option == "--tcp-flags" and len(term.values) == 2:
        mask, wanted = (set(value.split(",")) for value in term.values)
        return _yes({"SYN"} & (mask | ({"SYN"} if "ALL" in mask else set())) == wanted - {"NONE"})
    if option in ("-f", "never") or (term.module in _RARE and not term.negated):
        return "no"
    return "perhaps"


def _yes(holds: bool) -> Met:
    return "yes" if holds else "no"


def _any(every: Iterable[Met]) -> Met:
    told = set(every)
    return "yes" if "yes" in told else "perhaps" if "perhaps" in told else "no"


def _source(text: str, passage: ForwardedConnection) -> Met:
    """A named set is of those that are banned: who is in it is not known, and hardly a node of ours."""
    try:
        mine = ip_address(passage.source)
        first, dash, last = text.partition("-")
        if dash:
            return _yes(int(ip_address(first)) <= int(mine) <= int(ip_address(last)))
        return _yes(mine in ip_network(text, strict=False))
    except ValueError:
        return "no"


def _target(text: str) -> Met:
    """A single address is that of one container, or of another machine; networks may be those of ours."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return "perhaps"
    if network.prefixlen == 0:
        return "yes"
    return "no" if network.num_addresses == 1 else "perhaps"


def _in(pattern: str, device: str) -> Met:
    """Connections from other nodes do not come in through a bridge of containers."""
    if not device:
        return "no" if pattern == "lo" or pattern.startswith(("docker", "br-", "veth")) else "perhaps"
    if pattern.endswith(("+", "*")):
        return _yes(device.startswith(pattern[:-1]))
    return _yes(device == pattern)


def _out(pattern: str) -> Met:
    """Compose makes a network of its own; its bridge is ``br-`` and a number."""
    if pattern.endswith(("+", "*")):
        return _yes("br-".startswith(pattern[:-1]))
    return "perhaps" if pattern.startswith("br-") else "no"


def _span(text: str) -> tuple[int, int]:
    first, sign, last = text.replace("-", ":").partition(":")
    low = int(first or 0) if (first or "0").isdigit() else -1
    high = int(last or 65535) if sign and (last or "0").isdigit() else low
    return low, high


def _within(text: str, port: int) -> bool:
    low, high = _span(text)
    return low <= port <= high


def _width(text: str) -> int:
    low, high = _span(text)
    return high - low + 1
