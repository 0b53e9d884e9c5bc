"""The check that nodes are different machines: clones share a machine ID or a host name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, FindingLevel
from oz_installer.text import join_and, parse_fields, safe_line


@dataclass(frozen=True, kw_only=True)
class MachineIds:
    """The ids of a machine; empty when unknown. ``boot`` changes with every boot."""

    host: str = ""
    machine: str = ""
    boot: str = ""


@dataclass(frozen=True, kw_only=True)
class _Likeness:
    """An id that two nodes may share, and the finding for it; ``seen`` names twins and host."""

    of: Callable[[MachineIds], str]
    level: FindingLevel
    about: str
    seen: str
    needed: str
    why: str
    hint: str


_LIKENESSES = (  # only the first that holds is reported: the others follow from it
    _Likeness(
        of=lambda one: one.boot,
        level="failure",
        about="machine",
        seen="is the same machine as {twins}",
        needed="a separate machine for each node",
        why="The containers of the two nodes would conflict: same names, same ports.",
        hint="Correct the hosts in the answers, or merge the two into one node with both roles.",
    ),
    _Likeness(
        of=lambda one: one.machine,
        level="warning",
        about="machine",
        seen="has the same machine ID as {twins}",
        needed="a unique machine ID",
        why="The machine is a clone: DHCP and monitoring confuse it with the other one.",
        hint="Run rm /etc/machine-id; systemd-machine-id-setup; then reboot. Or accept this.",
    ),
    _Likeness(
        of=lambda one: one.host,
        level="warning",
        about="name",
        seen="has the same host name as {twins}: {host}",
        needed="a unique host name",
        why="Logs and metrics do not show which of the nodes they come from.",
        hint="Run hostnamectl set-hostname NAME, or accept this.",
    ),
)


class IdentityCheck(ShellCheck[MachineIds]):
    """Compare the machines of all nodes; a single node needs no comparison."""

    name = "identity"
    title = "Identity"

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Print host name, machine ID, and the boot's ID with the addresses of the network cards."""
        del context, node
        return (
            "read -r host < /proc/sys/kernel/hostname\n"
            "read -r machine < /etc/machine-id\n"
            "read -r boot < /proc/sys/kernel/random/boot_id\n"
            "for card in /sys/class/net/*/address; do\n"
            "  case $card in */veth* | */br-* | */docker* | */podman*) continue ;; esac\n"
            '  read -r address < "$card" && cards="$cards$address"\n'
            "done\n"
            'echo "host $host"; echo "machine $machine"; echo "boot $boot $cards"'
        )

    def parse(self, text: str) -> MachineIds:
        """Parse the ids."""
        values = parse_fields(text)
        return MachineIds(
            host=safe_line(values.get("host", "")),
            machine=safe_line(values.get("machine", "")),
            boot=safe_line(values.get("boot", "")),
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: MachineIds) -> Iterator[Finding]:
        """Return nothing: ids mean something only in comparison."""
        del context, node, facts
        yield from ()

    def across(self, context: CheckContext, facts: Mapping[str, MachineIds]) -> Iterator[Finding]:
        """Report a machine that is entered twice as a failure, and clones as warnings."""
        if len(facts) < 2:
            return
        for name, mine in facts.items():
            node = context.node(name)
            for likeness in _LIKENESSES:
                if twins := _twins(facts, name, likeness.of):
                    yield self.finding(
                        node,
                        likeness.level,
                        likeness.seen.format(twins=twins, host=mine.host),
                        about=likeness.about,
                        needed=likeness.needed,
                        why=likeness.why,
                        hint=likeness.hint,
                    )
                    break
            else:
                host = f", host name {mine.host}" if mine.host else ""
                yield self.finding(node, "ok", f"a separate machine{host}", about="machine")


def _twins(facts: Mapping[str, MachineIds], name: str, of: Callable[[MachineIds], str]) -> str:
    """Join the names of the other nodes with the same id; empty without one."""
    mine = of(facts[name])
    return join_and(other for other, one in facts.items() if other != name and mine and of(one) == mine)
