"""The platform for Compose on nodes reached by SSH."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from oz_installer.answers.model import Answers
from oz_installer.deploy.events import EmitEvent
from oz_installer.installation.desired_state.desired_state import render_state
from oz_installer.installation.desired_state.inputs import Inputs
from oz_installer.secret import Secret
from oz_installer.topology.model import Topology

if TYPE_CHECKING:
    from oz_installer.checks.base import Check
    from oz_installer.deploy.compose.preparation import Preparation
    from oz_installer.installation.compose_connection import NodesConnection
    from oz_installer.installation.platform import OpenTransport
    from oz_installer.render.compose.bundle import Bundle


class ComposePlatform:
    """Nodes that run Docker or Podman; a target is a node."""

    name = "compose"

    @property
    def checks(self) -> Sequence[Check[Any]]:
        """All checks of the preflight, in the order of a report."""
        from oz_installer.checks.all_checks import CHECKS

        return CHECKS

    def render(
        self,
        answers: Answers,
        topology: Topology,
        secrets: Mapping[str, Secret],
        local_files: Mapping[str, bytes],
    ) -> Mapping[str, Bundle]:
        """Render every node's bundle. Raises AnswersError."""
        from oz_installer.render.compose.bundle import render

        return {bundle.node: bundle for bundle in render(answers, topology, secrets, local_files)}

    def connect(
        self,
        inputs: Inputs,
        open_transport: OpenTransport,
        *,
        only: Sequence[str],
        stop: threading.Event | None = None,
        emit: EmitEvent | None = None,
    ) -> NodesConnection:
        """Connect to the nodes and read their facts in parallel, and render the bundles meanwhile."""
        from oz_installer.remote.ssh.openssh.effective import prefetch

        nodes = {node.name: node for node in inputs.loaded.answers.nodes if node.name in only}
        for node in nodes.values():
            prefetch(node.host, node.user, node.port)  # other processes, busy during the next import
        # Here, not in the nodes' threads: rendering beside this import would delay the first packets.
        import oz_installer.remote.ssh.transport  # noqa: F401
        from oz_installer.deploy.compose.recipes import prepare
        from oz_installer.deploy.runner import run_read_only
        from oz_installer.installation.nodes.connection_pool import ConnectionPool

        def open_node(name: str) -> Any:
            return open_transport(nodes[name], inputs.secrets)

        pool = ConnectionPool(open_node)
        preparation = self._preparation(inputs, tuple(nodes), pool, stop, emit)
        try:
            run_read_only(prepare(), preparation)
        except BaseException:
            pool.close()
            raise
        from oz_installer.installation.compose_connection import NodesConnection

        bundles = preparation.bundles.result()
        state = render_state(inputs, self.render, bundles)
        return NodesConnection(state, bundles, preparation, open_node)

    def _preparation(
        self,
        inputs: Inputs,
        nodes: Sequence[str],
        open_node: Callable[[str], Any],
        stop: threading.Event | None,
        emit: EmitEvent | None,
    ) -> Preparation:
        from oz_installer.deploy.compose.preparation import Preparation

        answers = inputs.loaded.answers

        def render_bundles() -> Mapping[str, Bundle]:
            return self.render(answers, inputs.topology, inputs.secrets, inputs.local_files)

        return Preparation(
            nodes=nodes,
            open_node=open_node,
            render=render_bundles,
            install_dir=answers.install_dir,
            engine=answers.engine,
            masker=inputs.secrets.masker(),
            emit=emit or (lambda _event: None),
            stop=stop,
        )
