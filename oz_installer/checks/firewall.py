"""A node's own firewall: whether it stops a plain program's port, and Docker's published ports as well."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from oz_installer.errors import OzError
from oz_installer.remote.transport import Transport

_SECONDS = 8.0
# Only reads. Each tool has two seconds; a line in brackets says which one speaks.
_SCRIPT = """
LC_ALL=C; PATH=$PATH:/usr/sbin:/sbin; export LC_ALL PATH
ask() {
  command -v "$1" > /dev/null || return 0
  said=$(timeout 2 "$@" 2> /dev/null < /dev/null) && printf '[%s]\\n%s\\n' "$1" "$said"
}
ask ufw status
ask firewall-cmd --state
ask iptables -S
"""


@dataclass(frozen=True, kw_only=True)
class Wall:
    """What the node's tools said: which of ufw and firewalld is active, and iptables' filter table by chain
    (its rules as words; a policy is ``-P CHAIN DROP``). ``read`` is false where no tool answered."""

    read: bool = False
    active: str = ""
    chains: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)

    def stops(self, port: int) -> str:
        """Which firewall filters what comes in at this port for a plain program; empty where none does."""
        if self.active:
            return self.active
        return "iptables" if _stops(self.chains, "INPUT", port, frozenset()) else ""

    @property
    def stops_docker(self) -> bool:
        """Whether the chain that published ports pass has a rule that stops something."""
        return any(_target(rule) in ("DROP", "REJECT") for rule in self.chains.get("DOCKER-USER", ()))


def ask(reach: Callable[[str], Transport], node: str) -> Wall:
    """As root; what fails has read nothing."""
    try:
        result = reach(node).run(("sh", "-c", _SCRIPT, "oz-install-check"), become=True, timeout=_SECONDS)
    except OzError:
        return Wall()
    try:
        return parse(result.text)
    except ValueError:
        return Wall()


def parse(text: str) -> Wall:
    """From what the script printed."""
    tool, active, tools = "", "", set[str]()
    chains: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            tool = line[1:-1]
            tools.add(tool)
        elif tool == "ufw" and line.strip() == "Status: active":
            active = "ufw"
        elif tool == "firewall-cmd" and line.strip() == "running":
            active = "firewalld"
        elif tool == "iptables" and line.startswith(("-P ", "-A ")):
            words = shlex.split(line)
            chains.setdefault(words[1], []).append(words)
    return Wall(read=bool(active) or "iptables" in tools, active=active, chains=chains)


def opening(name: str, dash: str, colon: str) -> str:
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
