"""Reads the facts of nodes: one round trip each, all at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from oz_installer.deploy.compose import node_commands as commands
from oz_installer.deploy.compose.facts import NodeFacts, parse_facts
from oz_installer.errors import PreflightError
from oz_installer.installation.desired_state.desired_state import DesiredState
from oz_installer.remote.parallel import start_all, wait_all

if TYPE_CHECKING:
    from oz_installer.remote.transport import Transport


def read_facts(
    desired_state: DesiredState,
    transports: Mapping[str, Transport],
    *,
    detailed: bool = False,
    stop: threading.Event | None = None,
) -> dict[str, NodeFacts]:
    """Read the facts of every node, in one round trip each, all at once. Raises Interrupted."""
    futures = start_all(
        transports,
        lambda name: read_node_facts(desired_state, transports[name], detailed=detailed),
        name="look",
    )
    return {name: future.result() for name, future in wait_all(futures, stop).items()}


def read_node_facts(
    desired_state: DesiredState, transport: Transport, *, detailed: bool = False
) -> NodeFacts:
    """Read the facts of one node in one round trip. Raises PreflightError when it answers nonsense.

    Details come where another bundle is installed, or when they are asked for.
    """
    name, answers = transport.name, desired_state.answers
    bundle = desired_state.bundles[name]
    digest = "" if detailed else bundle.digest
    result = transport.run(commands.read_facts(answers.install_dir, answers.engine, digest, bundle.images))
    masker = desired_state.secrets.masker()
    try:
        return parse_facts(name, result.text, masker)
    except (ValueError, KeyError) as error:
        said = masker(result.stderr.decode("utf-8", "replace")).strip()[-300:] or "nothing"
        raise PreflightError(
            f"cannot read the state of the node: {error}; it said: {said}",
            "Does its login have a plain shell?",
            node=name,
        ) from error
