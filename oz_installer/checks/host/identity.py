"""Whether nodes are different machines: cloned ones carry the same machine id or host name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, Level
from oz_installer.text import join_and, parse_fields, safe_line


@dataclass(frozen=True, kw_only=True)
class MachineIds:
    """Empty where the machine does not tell. ``boot`` is new with every start of a kernel."""

    host: str = ""
    machine: str = ""
    boot: str = ""


@dataclass(frozen=True, kw_only=True)
class _Likeness:
    """What two nodes may have in common, and what is to be said of it; ``seen`` names twins and host."""

    of: Callable[[MachineIds], str]
    level: Level
    about: str
    seen: str
    needed: str
    why: str
    hint: str


_LIKE = (  # the first that holds is told: what follows from it is not
    _Likeness(
        of=lambda one: one.boot,
        level="failure",
        about="machine",
        seen="is the same machine as {twins}",
        needed="a machine of its own for every node",
        why="What one node starts would stand in the other's way.",
        hint="Correct the hosts in the answers, or make one node of the two with both roles.",
    ),
    _Likeness(
        of=lambda one: one.machine,
        level="warning",
        about="machine",
        seen="has the machine id of {twins}",
        needed="an id of its own",
        why="It is a clone: addresses by DHCP and monitoring mix the two up.",
        hint="rm /etc/machine-id; systemd-machine-id-setup; then reboot. Or accept this.",
    ),
    _Likeness(
        of=lambda one: one.host,
        level="warning",
        about="name",
        seen="is called {host}, as {twins} is",
        needed="a host name of its own",
        why="Logs and metrics of the two cannot be told apart.",
        hint="hostnamectl set-hostname NAME, or accept this.",
    ),
)


class IdentityCheck(ShellCheck[MachineIds]):
    """Compared only: a machine alone is always itself."""

    name = "identity"
    title = "Identity"

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Host name, machine id, this boot's id with the network's addresses."""
        del context, node
        return (
            "read -r host < /proc/sys/kernel/hostname\n"
            "read -r machine < /etc/machine-id\n"
            "read -r boot < /proc/sys/kernel/random/boot_id\n"
            "for card in /sys/class/net/*/address; do\n"
            '  read -r address < "$card" && cards="$cards$address"\n'
            "done\n"
            'echo "host $host"; echo "machine $machine"; echo "boot $boot $cards"'
        )

    def parse(self, text: str) -> MachineIds:
        """Names from its lines."""
        told = parse_fields(text)
        return MachineIds(
            host=safe_line(told.get("host", "")),
            machine=safe_line(told.get("machine", "")),
            boot=safe_line(told.get("boot", "")),
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: MachineIds) -> Iterator[Finding]:
        """Nothing alone."""
        del context, node, facts
        yield from ()

    def across(self, context: CheckContext, facts: Mapping[str, MachineIds]) -> Iterator[Finding]:
        """One machine entered twice is a failure; the rest tells of clones."""
        if len(facts) < 2:
            return
        for name, mine in facts.items():
            node = context.node(name)
            for like in _LIKE:
                if twins := _twins(facts, name, like.of):
                    yield self.finding(
                        node,
                        like.level,
                        like.seen.format(twins=twins, host=mine.host),
                        about=like.about,
                        needed=like.needed,
                        why=like.why,
                        hint=like.hint,
                    )
                    break
            else:
                yield self.finding(node, "ok", f"{mine.host or 'a machine'} of its own", about="machine")


def _twins(facts: Mapping[str, MachineIds], name: str, of: Callable[[MachineIds], str]) -> str:
    """The other nodes that say the same, in words; empty where there is none."""
    mine = of(facts[name])
    return join_and(other for other, one in facts.items() if other != name and mine and of(one) == mine)
