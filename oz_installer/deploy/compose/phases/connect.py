"""Connect to every node; read each node's facts as soon as it is connected."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.deploy.compose.preparation import Preparation
from oz_installer.deploy.phase import Phase
from oz_installer.errors import OzError
from oz_installer.remote.parallel import start_all, wait_all
from oz_installer.remote.transport import Transport


class Connect(Phase[Preparation]):
    """Connects to all nodes in parallel, and renders the bundles in the meantime."""

    title = "Connect to the nodes"
    read_only = True

    def run(self, run: Preparation) -> None:
        """Connect. Failed nodes are in ``failures``. Raises Interrupted, or what rendering raised."""
        opened: dict[str, Future[Transport]] = {name: Future() for name in run.nodes}
        run.reading = start_all(
            run.nodes, lambda name: self._open_and_read(run, opened[name], name), name="connect"
        )
        try:
            run.bundles.set_result(run.render())
        except BaseException as error:
            run.bundles.set_exception(error)
            raise
        collect_failures(run, opened)
        run.transports = {name: one.result() for name, one in opened.items() if name not in run.failures}

    def has_failed(self, run: Preparation) -> bool:
        """Return whether a node could not be connected to."""
        return bool(run.failures)

    def _open_and_read(self, run: Preparation, opened: Future[Transport], name: str) -> NodeFacts:
        try:
            transport = run.open_node(name)
        except BaseException as error:
            opened.set_exception(error)
            raise
        opened.set_result(transport)
        return run.read_facts(name, transport)


class ReadFacts(Phase[Preparation]):
    """Collects the facts of all nodes: one round trip per node, in parallel."""

    title = "Read facts"
    read_only = True

    def __init__(self) -> None:
        self._failed = False

    def run(self, run: Preparation) -> None:
        """Collect the facts. A node that fails is in ``failures``. Raises Interrupted."""
        before = set(run.failures)
        collect_failures(run, run.reading)
        self._failed = bool(run.failures.keys() - before)
        run.facts = {name: one.result() for name, one in run.reading.items() if name not in run.failures}

    def has_failed(self, run: Preparation) -> bool:  # noqa: ARG002
        """Return whether the facts of a connected node could not be read."""
        return self._failed


def collect_failures(run: Preparation, futures: Mapping[str, Future[Any]]) -> None:
    """Wait for all nodes; store errors of nodes in ``failures``. Raises Interrupted, and faults."""
    for name, future in wait_all(futures, run.stop).items():
        error = future.exception()
        if isinstance(error, OzError):
            run.failures.setdefault(name, error)
        elif error is not None:
            raise error
