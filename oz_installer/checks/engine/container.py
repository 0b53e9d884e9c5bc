"""The check that a container starts, gets a network, and reaches what its node reaches.

A tiny image is imported and run on a network with the options that Compose will use. What runs in it are the
node's own programs, mounted read-only, so nothing is pulled; on the network it is a container like those of
Oz. All of it is one script; whatever becomes of the connection, the script removes what it made.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from oz_installer.catalog.engine import ENGINES
from oz_installer.checks.base import ProbeCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding
from oz_installer.checks.engine.container_facts import ContainerFacts, parse_container
from oz_installer.checks.engine.container_findings import view_findings
from oz_installer.checks.engine.container_network import forwarding_findings, network_findings
from oz_installer.checks.engine.container_targets import container_targets
from oz_installer.checks.engine.engine_mode import mode_findings
from oz_installer.checks.engine.tiny_image import EXPECTED_STATUS, PROGRAM, image
from oz_installer.remote.transport import TIMED_OUT
from oz_installer.render.network import network_name

_SECONDS = 8


class ContainerCheck(ProbeCheck[ContainerFacts]):
    """Prove that kernel, cgroups, storage driver, security modules and networks work together."""

    name = "container"
    title = "Container"

    def probe(self, context: CheckContext, node: CheckedNode) -> ContainerFacts:
        """Run the test container; it and its network are gone afterwards."""
        argv = container_argv(context, node, f"{PROGRAM}-{uuid.uuid4().hex[:12]}")
        result = context.transport(node.name).run(argv, stdin=image(), timeout=4 * _SECONDS)
        return parse_container(result.text, result.stderr_text)

    def judge(self, context: CheckContext, node: CheckedNode, facts: ContainerFacts) -> Iterator[Finding]:
        """Judge the start, then the network.

        A missing engine is a finding of the engine's own check."""
        yield from mode_findings(self, context, node, facts)
        if facts.status is None:
            return
        yield self._start(node, facts)
        if facts.status != EXPECTED_STATUS:
            return
        yield from network_findings(self, context, node, facts)
        yield from forwarding_findings(self, context, node, facts)
        if facts.tried:
            yield from view_findings(self, context, node, facts)

    def _start(self, node: CheckedNode, facts: ContainerFacts) -> Finding:
        if facts.status == EXPECTED_STATUS:
            return self.finding(node, "ok", "a test container starts and exits as expected")
        late = f"does not start within {_SECONDS} s" if facts.status in TIMED_OUT else "does not start"
        return self.finding(
            node,
            "failure",
            f"a test container {late}: {facts.message or f'status {facts.status}'}",
            needed="an engine that runs containers",
            why="The containers of Oz would not start either.",
            hint="Fix the error of the engine quoted here; its log has the details (journalctl -u docker).",
        )


def container_argv(context: CheckContext, node: CheckedNode, name: str) -> tuple[str, ...]:
    """Return the argv of the script; ``name`` is that of the container and its network."""
    answers = context.answers
    words = [word for one in container_targets(context, node) for word in one.words]
    settings = (
        answers.engine,
        name,
        network_name(answers.network),
        answers.network.subnet or "-",
        ENGINES[answers.engine].mtu_option,
        str(answers.network.mtu or "-"),
        str(_SECONDS),
        _media(context, node),
    )
    script = _text("container.sh")
    return ("sh", "-c", script, PROGRAM, *settings, _text("pools.awk"), _text("reach.sh"), *words)


def _media(context: CheckContext, node: CheckedNode) -> str:
    """Return media folder, container and path in it, where the folder is a mount of the node."""
    planned = context.topology.node(node.name).services if context.topology else ()
    holders = (
        f"{context.answers.storage.path} {placed.name} {mount.target}"
        for placed in planned
        for mount in placed.service.mounts
        if mount.source == "media" and not placed.service.job
    )
    return next(holders, "-") if context.answers.storage.type == "path" else "-"


@cache
def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
