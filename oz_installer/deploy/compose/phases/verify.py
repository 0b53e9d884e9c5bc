"""Verify the installation from outside, by the requests of the catalogue to published ports."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait
from time import monotonic

from oz_installer.deploy.compose import container_engine
from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.http_probe import http_status
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.errors import combine_errors
from oz_installer.deploy.outside import Outside
from oz_installer.deploy.phase import Phase
from oz_installer.errors import DeployError
from oz_installer.remote.parallel import start_all
from oz_installer.topology.probes import Probe, probes_from

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.5


class Verify(Phase[NodesRun]):
    """Sends the requests of users, monitoring and other nodes, in parallel.

    They are sent from every node, and one from here. Only a request of a node fails the run: the users' way
    to the public URL may not exist yet, or not for this workstation.
    """

    title = "Verify from outside"

    def __init__(self) -> None:
        self._marked: set[str] = set()

    def should_run(self, run: NodesRun) -> bool:
        """Return whether something changes."""
        return bool(run.changing)

    def run(self, run: NodesRun) -> None:
        """Verify. Raises DeployError naming the service that does not answer."""
        marked = [node for node in run.changing if run.facts[node].verified == run.bundles[node].digest]
        run.each(marked, lambda node: self._withdraw(run, node))
        probes = {node: probes_from(run.topology, node) for node in run.nodes}
        outside = Outside(run.topology)
        run.gate.wait(outside.start)
        run.each([node for node in probes if probes[node]], lambda node: self._verify(run, probes[node]))
        run.gate.wait(lambda: outside.tell(run))
        run.each(run.changing, lambda node: self._mark(run, node))

    def _withdraw(self, run: NodesRun, node: str) -> None:
        """Withdraw the mark of an earlier run.

        If this one fails or dies, the next one verifies again."""
        argv = commands.unmark_verified(run.settings.install_dir, run.id, "", run.facts[node].good)
        run.change(node, "mark the bundle as not verified", argv, housekeeping=True)

    def undo(self, run: NodesRun) -> None:
        """Mark the bundle that was verified before the run, if any."""
        run.each(tuple(self._marked), lambda node: self._unmark(run, node))

    def _unmark(self, run: NodesRun, node: str) -> None:
        facts = run.facts[node]
        argv = commands.unmark_verified(run.settings.install_dir, run.id, facts.verified, facts.good)
        run.change(node, "unmark the bundle", argv, housekeeping=True)

    def _mark(self, run: NodesRun, node: str) -> None:
        self._marked.add(node)
        digest, previous = run.bundles[node].digest, run.facts[node].generation
        argv = commands.mark_verified(run.settings.install_dir, run.id, digest, previous, run.settings.engine)
        run.change(node, "mark the bundle as verified", argv, housekeeping=True)

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
        """Repeat the request until the answer is 200. Raises DeployError after the timeout."""
        began = monotonic()
        while True:
            run.check_cancelled()
            status, text = http_status(run.transports[probe.from_node], probe.host, probe.port, probe.path)
            if status == 200:
                return
            if monotonic() - began > (run.settings.health_timeout or PATIENCE_SECONDS):
                raise _no_answer(run, probe, text)
            run.cancelled.wait(POLL_SECONDS)


def _no_answer(run: NodesRun, probe: Probe, text: str) -> DeployError:
    """Return the error, with the service's last log lines if its node is connected."""
    node = probe.placed.node
    log = container_engine.diagnostics(run, node, probe.placed.name) if node in run.transports else ""
    hint = "Read its last log lines above. " if log else ""
    return DeployError(
        f"{probe.what} does not answer at {probe.url}: {text}",
        f"{hint}Check that no firewall blocks port {probe.port} of {probe.host}.",
        node=probe.from_node,
        details=log,
    )
