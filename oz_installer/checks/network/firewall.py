"""The firewall rules of a node, and the ports that they block for programs and for Docker."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from oz_installer.checks.network.firewall_rules import ForwardChain, parse_iptables, parse_nft
from oz_installer.checks.network.forwarding import ForwardedConnection, blocking_rule
from oz_installer.errors import OzError
from oz_installer.remote.transport import Transport

_SECONDS = 8.0
# Read-only. Each tool has two seconds; a line in brackets names the tool. The arguments are the addresses of
# the other nodes, which are resolved together with the network device that leads to them.
_SCRIPT = """
PATH=$PATH:/usr/sbin:/sbin; export PATH
ask() {
  command -v "$1" > /dev/null || return 0
  said=$(timeout 2 "$@" 2> /dev/null < /dev/null) && printf '[%s]\\n%s\\n' "$1" "$said"
}
ask ufw status
ask firewall-cmd --state
ask iptables -S
command -v iptables > /dev/null || ask iptables-nft -S
ask nft -s -t list ruleset
[ ! -d /sys/class/net/docker0 ] || echo '[docker0]'
for address in "$@"; do
  found=$address device=
  case $address in *[!0-9.]*) found=$(timeout 1 getent ahostsv4 "$address" 2> /dev/null) ;; esac
  found=${found%%[!0-9.]*} found=${found:-$address}
  route=$(timeout 1 ip -o route get "$found" 2> /dev/null)
  case $route in *" dev "*) device=${route#* dev } device=${device%% *} ;; esac
  printf '[from]\\n%s %s %s\\n' "$address" "$found" "$device"
done
"""


@dataclass(frozen=True, kw_only=True)
class NodeFirewall:
    """The firewall rules of a node. ``read`` is False when no tool printed them.

    ``active`` is ufw or firewalld, ``chains`` iptables' filter table by chain (rules split into words; a
    policy is ``-P CHAIN DROP``). ``forward_chains`` are the chains for forwarded packets, None when unknown;
    ``docker``: its bridge exists; ``sources``: address and device of the other nodes, by their name."""

    read: bool = False
    active: str = ""
    chains: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    forward_chains: tuple[ForwardChain, ...] | None = None
    docker: bool = False
    sources: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def blocks(self, port: int) -> str:
        """Return the firewall that may block this port for a program on the host; empty without one."""
        if self.active:
            return self.active
        return "iptables" if _blocks(self.chains, "INPUT", port, frozenset()) else ""

    def blocks_published(self, address: str, port: int, container_port: int) -> str:
        """Return the rule that may block another node's connection to a published port; or empty."""
        source, device = self.sources.get(address, (address, ""))
        connection = ForwardedConnection(
            source=source, device=device, port=port, container_port=container_port
        )
        return blocking_rule(self.forward_chains or (), connection, docker=self.docker)


def read_firewall(
    transport_of: Callable[[str], Transport], node: str, others: Sequence[str] = ()
) -> NodeFirewall:
    """Read the firewall rules as root; on an error they count as not read.

    ``others``: addresses."""
    argv = ("sh", "-c", _SCRIPT, "oz-install-check", *others)
    try:
        result = transport_of(node).run(argv, become=True, timeout=_SECONDS)
    except OzError:
        return NodeFirewall()
    try:
        return parse_firewall(result.text)
    except (ValueError, IndexError):
        return NodeFirewall()


def parse_firewall(text: str) -> NodeFirewall:
    """Parse the output of the script.

    Raises ValueError or IndexError for unexpected output of a tool."""
    tool, printed = "", dict[str, list[str]]()
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            tool = line[1:-1].replace("iptables-nft", "iptables")
            printed.setdefault(tool, [])
        elif tool:
            printed[tool].append(line)
    active = "ufw" if any(line.strip() == "Status: active" for line in printed.get("ufw", ())) else ""
    active = (
        "firewalld" if any(line.strip() == "running" for line in printed.get("firewall-cmd", ())) else active
    )
    chains: dict[str, list[list[str]]] = {}
    for line in printed.get("iptables", ()):
        if line.startswith(("-P ", "-A ")):
            words = shlex.split(line)
            chains.setdefault(words[1], []).append(words)
    sources = [line.split(" ") for line in printed.get("from", ())]
    return NodeFirewall(
        read=bool(active) or "iptables" in printed,
        active=active,
        chains=chains,
        forward_chains=_forward_chains(printed),
        docker="docker0" in printed,
        sources={name: (address, device) for name, address, device in sources},
    )


def _forward_chains(printed: Mapping[str, Sequence[str]]) -> tuple[ForwardChain, ...] | None:
    if "iptables" not in printed and "nft" not in printed:
        return None
    has_iptables = "iptables" in printed
    forward_chains = [parse_iptables(printed["iptables"])] if has_iptables else []
    with contextlib.suppress(ValueError, IndexError):  # iptables' rules still count
        forward_chains += parse_nft(printed.get("nft", ()), has_iptables=has_iptables)
    return tuple(forward_chains)


def allow_forward_command(rule: str, source: str, dash: str, colon: str) -> str:
    """Return the command that allows a node's traffic to a container, ahead of a blocking rule."""
    if not rule.startswith("-"):
        return f"in nftables: ip saddr {source} tcp dport {dash} accept"
    chain = "DOCKER-USER" if rule.startswith("-A DOCKER-USER ") else "FORWARD"
    return f"iptables -I {chain} -s {source} -p tcp --dport {colon} -j ACCEPT"


def open_port_command(name: str, dash: str, colon: str) -> str:
    """Return the command that opens a port or a range of ports in a firewall."""
    if name == "ufw":
        return f"ufw allow {colon}/tcp"
    if name == "firewalld":
        # without a reload, which may flush Docker's own rules
        return f"firewall-cmd --add-port={dash}/tcp, then the same with --permanent"
    return f"iptables -I INPUT -p tcp --dport {colon} -j ACCEPT"


def _blocks(
    chains: Mapping[str, Sequence[Sequence[str]]], chain: str, port: int, seen: frozenset[str]
) -> bool:
    """Return whether this chain or one that it jumps to may block a new connection."""
    for rule in chains.get(chain, ()):
        target = _target(rule)
        if not _concerns(rule, port):
            continue
        if target in ("DROP", "REJECT"):
            return True
        if target in chains and target not in seen and _blocks(chains, target, port, seen | {chain}):
            return True
    return False


def _target(rule: Sequence[str]) -> str:
    if rule[0] == "-P":
        return rule[2]
    return next((after for word, after in pairwise(rule) if word in ("-j", "-g")), "")


def _concerns(rule: Sequence[str], port: int) -> bool:
    """Return False for rules of other ports, other protocols, or existing connections."""
    for word, after in pairwise(rule):
        if word == "-p" and after not in ("tcp", "all"):
            return False
        if word in ("--ctstate", "--state") and "NEW" not in after.split(",") and "!" not in rule:
            return False
        if word in ("--dport", "--dports") and "!" not in rule:
            ranges = (part.partition(":") for part in after.split(","))
            if not any(
                int(low or 0) <= port <= int(high or (65535 if sep else low)) for low, sep, high in ranges
            ):
                return False
    return True
