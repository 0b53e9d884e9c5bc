"""A node's own firewall: whether it stops a plain program's port, and Docker's published ports as well."""

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
# Only reads. Each tool has two seconds; a line in brackets says which one speaks. Arguments are the addresses
# of the other nodes: which they are here, and which device leads there.
_SCRIPT = """
LC_ALL=C; PATH=$PATH:/usr/sbin:/sbin; export LC_ALL PATH
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
    """What the node's tools said: which of ufw and firewalld is active, and iptables' filter table by chain
    (its rules as words; a policy is ``-P CHAIN DROP``). ``read`` is false where no tool answered.

    ``gates`` are what forwarded packets pass, None where nothing told of them; ``docker``: its bridge is
    there; ``ways``: the address and device of other nodes, by what they are called."""

    read: bool = False
    active: str = ""
    chains: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    gates: tuple[ForwardChain, ...] | None = None
    docker: bool = False
    ways: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def blocks(self, port: int) -> str:
        """Which firewall filters what comes in at this port for a plain program; empty where none does."""
        if self.active:
            return self.active
        return "iptables" if _stops(self.chains, "INPUT", port, frozenset()) else ""

    def blocks_published(self, address: str, port: int, inside: int) -> str:
        """The rule that stops another node's way to a published port, and the container's that it leads to;
        empty where none does."""
        source, device = self.ways.get(address, (address, ""))
        passage = ForwardedConnection(source=source, device=device, port=port, inside=inside)
        return blocking_rule(self.gates or (), passage, docker=self.docker)


def read_firewall(reach: Callable[[str], Transport], node: str, others: Sequence[str] = ()) -> NodeFirewall:
    """As root; what fails has read nothing. ``others``: addresses of other nodes."""
    argv = ("sh", "-c", _SCRIPT, "oz-install-check", *others)
    try:
        result = reach(node).run(argv, become=True, timeout=_SECONDS)
    except OzError:
        return NodeFirewall()
    try:
        return parse_firewall(result.text)
    except (ValueError, IndexError):
        return NodeFirewall()


def parse_firewall(text: str) -> NodeFirewall:
    """From what the script printed. Raises ValueError or IndexError where a tool prints something else."""
    tool, told = "", dict[str, list[str]]()
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            tool = line[1:-1].replace("iptables-nft", "iptables")
            told.setdefault(tool, [])
        elif tool:
            told[tool].append(line)
    active = "ufw" if any(line.strip() == "Status: active" for line in told.get("ufw", ())) else ""
    active = (
        "firewalld" if any(line.strip() == "running" for line in told.get("firewall-cmd", ())) else active
    )
    chains: dict[str, list[list[str]]] = {}
    for line in told.get("iptables", ()):
        if line.startswith(("-P ", "-A ")):
            words = shlex.split(line)
            chains.setdefault(words[1], []).append(words)
    ways = [line.split(" ") for line in told.get("from", ())]
    return NodeFirewall(
        read=bool(active) or "iptables" in told,
        active=active,
        chains=chains,
        gates=_gates(told),
        docker="docker0" in told,
        ways={name: (address, device) for name, address, device in ways},
    )


def _gates(told: Mapping[str, Sequence[str]]) -> tuple[ForwardChain, ...] | None:
    if "iptables" not in told and "nft" not in told:
        return None
    besides = "iptables" in told
    gates = [parse_iptables(told["iptables"])] if besides else []
    with contextlib.suppress(ValueError, IndexError):  # what iptables has told counts all the same
        gates += parse_nft(told.get("nft", ()), besides=besides)
    return tuple(gates)


def allow_forward_command(rule: str, source: str, dash: str, colon: str) -> str:
    """The command that lets a node through to a container's port, or a range of them, before this rule."""
    if not rule.startswith("-"):
        return f"in nftables: ip saddr {source} tcp dport {dash} accept"
    chain = "DOCKER-USER" if rule.startswith("-A DOCKER-USER ") else "FORWARD"
    return f"iptables -I {chain} -s {source} -p tcp --dport {colon} -j ACCEPT"


def open_port_command(name: str, dash: str, colon: str) -> str:
    """The command that opens a port, or a range of them, in this firewall."""
    if name == "ufw":
        return f"ufw allow {colon}/tcp"
    if name == "firewalld":
        return f"firewall-cmd --permanent --add-port={dash}/tcp, then firewall-cmd --reload"
    return f"iptables -I INPUT -p tcp --dport {colon} -j ACCEPT"


def _stops(
    chains: Mapping[str, Sequence[Sequence[str]]], chain: str, port: int, seen: frozenset[str]
) -> bool:
    """Whether a rule of this chain, or of one that it jumps to, may stop a new connection to the port."""
    for rule in chains.get(chain, ()):
        target = _target(rule)
        if not _concerns(rule, port):
            continue
        if target in ("DROP", "REJECT"):
            return True
        if target in chains and target not in seen and _stops(chains, target, port, seen | {chain}):
            return True
    return False


def _target(rule: Sequence[str]) -> str:
    if rule[0] == "-P":
        return rule[2]
    return next((after for word, after in pairwise(rule) if word in ("-j", "-g")), "")


def _concerns(rule: Sequence[str], port: int) -> bool:
    """Of rules for other ports, other protocols, or packets of no new connection: no."""
    for word, after in pairwise(rule):
        if word == "-p" and after not in ("tcp", "all"):
            return False
        if word in ("--ctstate", "--state") and "NEW" not in after.split(",") and "!" not in rule:
            return False
        if word in ("--dport", "--dports") and "!" not in rule:
            spans = (part.partition(":") for part in after.split(","))
            if not any(
                int(low or 0) <= port <= int(high or (65535 if sep else low)) for low, sep, high in spans
            ):
                return False
    return True
