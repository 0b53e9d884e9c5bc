"""The check of what an installation takes away from a running one: services, nodes, data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.installed.record import mapping_in, parse_mapping, print_script
from oz_installer.frozen import dataclass
from oz_installer.render.data_locations import data_left, data_locations
from oz_installer.render.project import INSTALLED_NODES, INSTALLED_RECORD, PROJECT
from oz_installer.text import join_and, plural, safe_line

_MARK = "--- nodes"
MOST_NAMED = 8
"""Most services that a finding names."""


@dataclass(frozen=True, kw_only=True)
class InstalledFacts:
    """The services and data of a node's record, and the hosts of all nodes by name."""

    is_installed: bool = False
    services: tuple[str, ...] = ()
    data: Mapping[str, str]
    nodes: Mapping[str, str]


class RemovalCheck(ShellCheck[InstalledFacts]):
    """Compare the records of the nodes with the answers. No finding where nothing is installed."""

    name = "removal"
    title = "Removal"

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """Print the record of the installed generation, and its list of nodes."""
        del node
        record, nodes = (print_script(context, path) for path in (INSTALLED_RECORD, INSTALLED_NODES))
        return f"{record}; echo; echo '{_MARK}'; {nodes}"

    def parse(self, text: str) -> InstalledFacts:
        """Parse both files; a missing one is empty."""
        record, _, nodes = text.partition(f"{_MARK}\n")
        found = parse_mapping(record)
        return InstalledFacts(
            is_installed=bool(found),
            services=tuple(map(safe_line, mapping_in(found, "services"))),
            data=_texts(mapping_in(found, "data")),
            nodes=_texts(mapping_in(parse_mapping(nodes), "nodes")),
        )

    def judge(self, context: CheckContext, node: CheckedNode, facts: InstalledFacts) -> Iterator[Finding]:
        """Name the services that the node loses."""
        if context.topology is None or not facts.is_installed:
            return
        wanted = {
            placed.name
            for one in context.topology.nodes
            if one.name == node.name
            for placed in one.services
            if not placed.service.job
        }
        if not (removed := [name for name in facts.services if name not in wanted]):
            yield self.finding(node, "ok", "no service is removed", about="services")
            return
        yield self.finding(
            node,
            "warning",
            f"{plural(len(removed), 'service')} will be removed: {join_and(removed, MOST_NAMED)}",
            about="services",
            why="The answers no longer place them on this node. Their data stays.",
            hint="Compare with oz-install plan. Change the answers, or accept this.",
        )

    def across(self, context: CheckContext, facts: Mapping[str, InstalledFacts]) -> Iterator[Finding]:
        """Name data that is left behind and nodes that are no longer named."""
        yield from self._data(context, facts)
        yield from self._nodes(context, facts)

    def _data(self, context: CheckContext, facts: Mapping[str, InstalledFacts]) -> Iterator[Finding]:
        nodes = {node.name: node for node in context.nodes}
        before = {name: one.data for name, one in facts.items() if one.data}
        now = {node.name: data_locations(context.answers) for node in context.api_nodes}
        for name, move in data_left(before, now):
            yield self.finding(
                nodes[name],
                "warning",
                f"the API's {move.what} moves from {move.before} to {move.now}; nothing is copied",
                about=move.what,
                why="Oz starts without what was stored until now.",
                hint="Copy the data first, change the answers, or accept this.",
            )

    def _nodes(self, context: CheckContext, facts: Mapping[str, InstalledFacts]) -> Iterator[Finding]:
        hosts = {node.name: node.host for node in context.answers.nodes}
        known = {name: host for one in facts.values() for name, host in one.nodes.items()}
        for name, host in known.items():
            if hosts.get(name) == host or host in hosts.values():
                continue
            if name in facts and facts[name].is_installed:
                continue  # the same machine by another address
            yield self.finding(
                None,
                "warning",
                f"{name} ({host}) is no longer one of the nodes; its services keep running",
                about=f"node-{name}",
                why="Two installations would use the same database and licence.",
                hint=f"Stop it there: cd {context.install_dir}/current && docker compose -p {PROJECT} down "
                "(its data stays). Or put it back into the answers, or accept this.",
            )


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    return {safe_line(name): safe_line(str(value)) for name, value in found.items()}
