"""Looks at the installation from outside: the API through nginx, and every BIO from every api node."""

from __future__ import annotations

from time import monotonic

from oz_installer.deploy import node as commands
from oz_installer.deploy.http import http_status
from oz_installer.deploy.phase import Phase
from oz_installer.deploy.run import Run
from oz_installer.errors import DeployError

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.5


class Verify(Phase):
    """Asks as users and api nodes will, over the published ports."""

    title = "Verify from outside"

    def __init__(self) -> None:
        self._remembered: set[str] = set()

    def should_run(self, run: Run) -> bool:
        """Only where something changed."""
        return bool(run.changing)

    def run(self, run: Run) -> None:
        """Raises DeployError naming what does not answer."""
        run.each(
            [n.name for n in run.topology.api_nodes if n.name in run.transports],
            lambda n: self._verify(run, n),
        )
        run.each(run.changing, lambda node: self._remember(run, node))

    def undo(self, run: Run) -> None:
        """Remember what was seen to work before."""
        run.each(tuple(self._remembered), lambda node: self._forget(run, node))

    def _forget(self, run: Run, node: str) -> None:
        argv = commands.verified(run.settings.install_dir, run.id, run.facts[node].verified)
        run.change(node, "forget that it works", argv)

    def _remember(self, run: Run, node: str) -> None:
        self._remembered.add(node)
        digest, previous = run.bundles[node].digest, run.facts[node].generation
        argv = commands.verified(run.settings.install_dir, run.id, digest, previous)
        run.change(node, "remember that it works", argv)

    def _verify(self, run: Run, node: str) -> None:
        api = run.topology.node(node)
        for bio in run.topology.bio_nodes:
            self._expect(run, node, bio.address, 8501, "/v1/models/dummy", f"the BIO on {bio.name}")
        self._expect(run, node, api.address, 8880, "/api/version", "the API through nginx")

    def _expect(self, run: Run, node: str, host: str, port: int, path: str, what: str) -> None:
        def answers() -> bool:
            began = monotonic()
            while True:
                run.check_cancelled()
                status, said = http_status(run.transports[node], host, port, path)
                if status == 200:
                    return True
                if monotonic() - began > (run.settings.health_timeout or PATIENCE_SECONDS):
                    raise DeployError(
                        f"{what} does not answer at http://{host}:{port}{path}: {said}",
                        f"Is port {port} of {host} blocked by a firewall?",
                        node=node,
                    )
                run.cancelled.wait(POLL_SECONDS)

        run.gate.wait(answers)
