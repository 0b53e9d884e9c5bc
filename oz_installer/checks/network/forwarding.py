"""Find the rule in FORWARD or DOCKER-USER that blocks traffic to a published port. Pure.

In these chains the target is already the container's address and port, behind a bridge whose name is unknown
before the installation. A condition is therefore met, not met, or perhaps met: a rule that may match counts
as blocking, but only a rule that certainly matches counts as accepting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from oz_installer.checks.network.firewall_rules import FirewallRule, ForwardChain, Match

DOCKER_USER = "DOCKER-USER"
Met = Literal["yes", "no", "perhaps"]
_NEUTRAL = ("--comment", "--limit", "--limit-burst", "--ctproto", "--syn")
# Modules whose conditions an ordinary new connection between nodes does not meet: rate limits, blocklists,
# marks, packets of this machine itself.
_RARE = frozenset(
    {"set", "recent", "connlimit", "hashlimit", "connbytes", "quota", "statistic", "string", "bpf", "u32"}
    | {"mark", "connmark", "geoip", "addrtype", "time", "length", "ttl", "pkttype", "mac", "owner", "policy"}
    | {"physdev", "rpfilter", "socket"}
)
_NOT: dict[Met, Met] = {"yes": "no", "no": "yes", "perhaps": "perhaps"}
_FEW_PORTS = 1000


@dataclass(frozen=True, kw_only=True)
class ForwardedConnection:
    """A new connection from another node: source address, input device (empty when unknown),
    the published port, and the container's port behind it."""

    source: str
    device: str
    port: int
    container_port: int


def blocking_rule(
    forward_chains: Sequence[ForwardChain], connection: ForwardedConnection, *, docker: bool
) -> str:
    """Return the rule that may block the connection, as the tool prints it; or empty.

    ``docker``: its bridge exists. Without it Docker has yet to insert its own rules at the top of FORWARD."""
    for forward_chain in forward_chains:
        if forward_chain.docker and not docker and not _has_docker(forward_chain):
            continue
        if rule := _blocking_rule(forward_chain, connection):
            return rule.text
    return ""


def _has_docker(forward_chain: ForwardChain) -> bool:
    return any(_is_docker(name) for name in forward_chain.chains)


def _is_docker(chain: str) -> bool:
    """Return whether Docker itself creates this chain and accepts its published ports in it."""
    return chain.startswith("DOCKER") and chain != DOCKER_USER


def _blocking_rule(forward_chain: ForwardChain, connection: ForwardedConnection) -> FirewallRule | None:
    base = forward_chain.chains.get(forward_chain.base, ())
    if forward_chain.docker and not any(rule.target == DOCKER_USER for rule in base):
        end, rule = _walk(
            forward_chain, DOCKER_USER, connection, frozenset()
        )  # Docker adds the jump when it starts
        if end == "stopped":
            return rule
    end, rule = _walk(forward_chain, forward_chain.base, connection, frozenset())
    if end == "on" and not (forward_chain.docker and _has_docker(forward_chain)):
        return forward_chain.policy
    return rule


def _walk(
    forward_chain: ForwardChain, chain: str, connection: ForwardedConnection, seen: frozenset[str]
) -> tuple[Literal["stopped", "through", "on"], FirewallRule | None]:
    for rule in forward_chain.chains.get(chain, ()):
        met = _met(rule, connection)
        if met == "no":
            continue
        if rule.target in ("DROP", "REJECT"):
            return "stopped", rule
        if forward_chain.docker and chain == forward_chain.base and _is_docker(rule.target):
            return "through", None
        if rule.target == "ACCEPT" and met == "yes":
            return "through", None
        if rule.target == "RETURN" and met == "yes":
            return "on", None
        if rule.target in forward_chain.chains and rule.target not in seen:
            end, blocking = _walk(forward_chain, rule.target, connection, seen | {chain})
            if end == "stopped" or (end == "through" and met == "yes"):
                return end, blocking
            if rule.final and met == "yes":
                return "on", None
    return "on", None


def _met(rule: FirewallRule, connection: ForwardedConnection) -> Met:
    every = [_term(term, connection) for term in rule.terms]
    return "no" if "no" in every else "perhaps" if "perhaps" in every else "yes"


def _term(term: Match, connection: ForwardedConnection) -> Met:
    met = _positive(term, connection)
    return _NOT[met] if term.negated else met


def _positive(term: Match, connection: ForwardedConnection) -> Met:
    """Evaluate a condition without its negation."""
    option, values = term.option, [one for value in term.values for one in value.split(",")]
    if option in _NEUTRAL:
        return "yes"
    if option in ("-s", "--src-range"):
        return _any(_source(value, connection) for value in values)
    if option == "-d":
        return _any(_target(value) for value in values)
    if option == "-p":
        return _yes(any(value in ("tcp", "all", "6") for value in values))
    if option == "family":
        return _yes("ipv4" in values)
    if option == "-i":
        return _any(_in(value, connection.device) for value in values)
    if option == "-o":
        return _any(_out(value) for value in values)
    if option in ("--dport", "--dports"):
        return _yes(any(_within(value, connection.container_port) for value in values))
    if option == "--ctorigdstport":
        return _yes(any(_within(value, connection.port) for value in values))
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
    results = set(every)
    return "yes" if "yes" in results else "perhaps" if "perhaps" in results else "no"


def _source(text: str, connection: ForwardedConnection) -> Met:
    """Match a source.

    A named set is a blocklist of unknown content that hardly holds one of the nodes."""
    try:
        mine = ip_address(connection.source)
        first, dash, last = text.partition("-")
        if dash:
            return _yes(int(ip_address(first)) <= int(mine) <= int(ip_address(last)))
        return _yes(mine in ip_network(text, strict=False))
    except ValueError:
        return "no"


def _target(text: str) -> Met:
    """Match a destination.

    A single address is another container or machine; a network may be Oz's own."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return "perhaps"
    if network.prefixlen == 0:
        return "yes"
    return "no" if network.num_addresses == 1 else "perhaps"


def _in(pattern: str, device: str) -> Met:
    """Match an input device.

    Connections from other nodes do not arrive through a container bridge."""
    if not device:
        return "no" if pattern == "lo" or pattern.startswith(("docker", "br-", "veth")) else "perhaps"
    if pattern.endswith(("+", "*")):
        return _yes(device.startswith(pattern[:-1]))
    return _yes(device == pattern)


def _out(pattern: str) -> Met:
    """Match an output device. Compose creates a network whose bridge is ``br-`` and a number."""
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
