"""Connects and compares for a command, saying so where it takes long."""

from __future__ import annotations

from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.console.context import Flags, Opener, RunState, bind_opener, secret_prompt, slow_notice
from oz_installer.console.finding_ids import accept_ids
from oz_installer.installation.prepare import Prepared, prepare
from oz_installer.text import plural


def prepare_for(
    loaded: LoadedAnswers, path: Path, flags: Flags, opener: Opener, shared: RunState
) -> Prepared:
    """Connect, look and compare. Raises what ``prepare`` raises."""
    loaded = accept_ids(loaded, flags.accept)
    open_node = bind_opener(opener, loaded, path)
    count = len(flags.limit or loaded.answers.nodes)
    with slow_notice(f"Connecting to {plural(count, 'node')} ...", quiet=flags.json):
        prepared = prepare(
            loaded, path, open_node, ask=secret_prompt(), limit=flags.limit, new_secrets=flags.new_secrets
        )
    shared.masker = prepared.blueprint.secrets.masker()
    return prepared
