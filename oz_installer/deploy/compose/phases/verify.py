"""Looks at the installation from outside: whatever the catalogue says how to ask, over published ports."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait
from time import monotonic

from oz_installer.deploy.compose import container_engine
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.http_probe import http_status
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.errors import combine_errors
from oz_installer.deploy.phase import Phase
from oz_installer.errors import DeployError
from oz_installer.remote.parallel import start_all
from oz_installer.topology.probes import Probe, probes_from

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.5


class Verify(Phase[NodesRun]):
    """Asks as users, monitoring and other nodes will; every node all at once, over its one connection."""

    title = "Verify from outside"

    def __init__(self) -> None:
        self._remembered: set[str] = set()

    def should_run(self, run: NodesRun) -> bool:
        """Only where something changed."""
        return bool(run.changing)

    def run(self, run: NodesRun) -> None:
        """Raises DeployError naming what does not answer."""
        asked = {node: probes_from(run.topology, node) for node in run.nodes}
        run.each([node for node in asked if asked[node]], lambda node: self._verify(run, asked[node]))
        run.each(run.changing, lambda node: self._remember(run, node))

    def undo(self, run: NodesRun) -> None:
        """Remember what was seen to work before."""
        run.each(tuple(self._remembered), lambda node: self._forget(run, node))

    def _forget(self, run: NodesRun, node: str) -> None:
        argv = commands.mark_verified(run.settings.install_dir, run.id, run.facts[node].verified)
        run.change(node, "forget that it works", argv)

    def _remember(self, run: NodesRun, node: str) -> None:
        self._remembered.add(node)
        digest, previous = run.bundles[node].digest, run.facts[node].generation
        argv = commands.mark_verified(run.settings.install_dir, run.id, digest, previous)
        run.change(node, "remember that it works", argv)

    def _verify(self, run: NodesRun, probes: Sequence[Probe]) -> None:
        run.gate.wait(lambda: self._all_answer(run, probes))

    def _all_answer(self, run: NodesRun, probes: Sequence[Probe]) -> bool:
        by_key = {probe.placed.service_key: probe for probe in probes}
        futures = start_all(by_key, lambda key: self._answers(run, by_key[key]), name="verify")
        wait(futures.values())
        if failures := [error for future in futures.values() if (error := future.exception()) is not None]:
            raise combine_errors(failures)
        return True

    def _answers(self, run: NodesRun, probe: Probe) -> None:
        """Ask until it answers 200. Raises DeployError when its time is over."""
        began = monotonic()
        while True:
            run.check_cancelled()
            status, said = http_status(run.transports[probe.from_node], probe.host, probe.port, probe.path)
            if status == 200:
                return
            if monotonic() - began > (run.settings.health_timeout or PATIENCE_SECONDS):
                raise _no_answer(run, probe, said)
            run.cancelled.wait(POLL_SECONDS)


def _no_answer(run: NodesRun, probe: Probe, said: str) -> DeployError:
    """What did not answer, with the service's own last log lines where its node can be asked."""
    there = probe.placed.node
    log = container_engine.diagnostics(run, there, probe.placed.name) if there in run.transports else ""
    hint = "Its last log lines above may say why. " if log else ""
    return DeployError(
        f"{probe.what} does not answer at {probe.url}: {said}",
        f"{hint}Is port {probe.port} of {probe.host} blocked by a firewall?",
        node=probe.from_node,
        details=log,
    )
