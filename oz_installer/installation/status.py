"""Looks at as many nodes as can be looked at, and says of the others why not. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.deploy.compose.facts import NodeFacts
from oz_installer.errors import ConnectError, OzError
from oz_installer.installation.desired_state.desired_state import read_inputs
from oz_installer.installation.desired_state.secrets_guard import require_matching_secrets
from oz_installer.installation.nodes.connect_all import OpenTransport, connect_all, select_nodes
from oz_installer.installation.prepare import connectors
from oz_installer.installation.summary import summary_from
from oz_installer.secret import Masker
from oz_installer.topology.summary import Summary


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    """What was seen, and what to do about what could not be seen."""

    summary: Summary
    hints: tuple[str, ...]
    masker: Masker


def read_status(
    loaded: LoadedAnswers,
    path: Path,
    open_transport: OpenTransport,
    *,
    ask: Ask | None = None,
    limit: Sequence[str] = (),
) -> StatusReport:
    """What runs where. A node that is down, or whose engine is, is told and holds up no other.

    Raises AnswersError.
    """
    inputs = read_inputs(loaded, path, ask=ask, connecting=True)
    chosen = select_nodes(loaded.answers, limit)
    looked, failed, desired_state = connect_all(chosen, *connectors(inputs, open_transport))
    for one in looked.values():
        one.close()
    facts = {name: one.facts for name, one in looked.items()}
    require_matching_secrets(desired_state, facts)
    well = {name: seen for name, seen in facts.items() if seen.engine_ok}
    bare = tuple(name for name, seen in well.items() if _is_bare(seen))
    told = _troubles(failed, facts, loaded.answers.engine)
    summary = replace(
        summary_from(desired_state, {name: seen for name, seen in well.items() if name not in bare}),
        troubles=tuple((node.name, told[node.name][0]) for node in chosen if node.name in told),
        not_installed=bare,
    )
    hints = dict.fromkeys(hint for _, hint in told.values() if hint)
    return StatusReport(summary=summary, hints=tuple(hints), masker=desired_state.secrets.masker())


def _is_bare(seen: NodeFacts) -> bool:
    return seen.record is None and not any(there.digest for there in seen.containers.values())


def _troubles(
    failed: Mapping[str, OzError], facts: Mapping[str, NodeFacts], engine: str
) -> dict[str, tuple[str, str]]:
    """By node what is wrong with it, and what to do."""
    from oz_installer.remote.engine_requirements import EngineFacts, engine_not_responding

    told = {}
    for name, error in failed.items():
        head = "unreachable: " if isinstance(error, ConnectError) else ""
        told[name] = (f"{head}{error.message}", error.hint)
    for name, seen in facts.items():
        if not seen.engine_ok:
            lack = engine_not_responding(EngineFacts(answers=False, said=seen.engine_message), engine)
            told[name] = (lack.message, lack.hint)
    return told
