"""Reads the facts of nodes: one round trip each, all at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from oz_installer.deploy import node as commands
from oz_installer.deploy.facts import NodeFacts, parse_facts
from oz_installer.errors import PreflightError
from oz_installer.installation.blueprint import Blueprint
from oz_installer.remote.together import ended, together

if TYPE_CHECKING:
    from oz_installer.remote.transport import Transport


def look(
    blueprint: Blueprint,
    transports: Mapping[str, Transport],
    *,
    detailed: bool = False,
    stop: threading.Event | None = None,
) -> dict[str, NodeFacts]:
    """Read the facts of every node, in one round trip each, all at once. Raises Interrupted."""
    futures = together(
        transports, lambda name: look_at(blueprint, transports[name], detailed=detailed), name="look"
    )
    return {name: future.result() for name, future in ended(futures, stop).items()}


def look_at(blueprint: Blueprint, transport: Transport, *, detailed: bool = False) -> NodeFacts:
    """Read the facts of one node in one round trip. Raises PreflightError when it answers nonsense.

    Details come where another bundle is installed, or when they are asked for.
    """
    name, answers = transport.name, blueprint.answers
    bundle = blueprint.bundles[name]
    digest = "" if detailed else bundle.digest
    result = transport.run(commands.look(answers.install_dir, answers.engine, digest, bundle.images))
    masker = blueprint.secrets.masker()
    try:
        return parse_facts(name, result.text, masker)
    except (ValueError, KeyError) as error:
        said = masker(result.stderr.decode("utf-8", "replace")).strip()[-300:] or "nothing"
        raise PreflightError(
            f"cannot read the state of the node: {error}; it said: {said}",
            "Does its login have a plain shell?",
            node=name,
        ) from error
