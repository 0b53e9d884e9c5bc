"""Connects and compares for a command, saying so where it takes long."""

from __future__ import annotations

from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.deploy.saying import counted
from oz_installer.installation import Prepared, prepare
from oz_installer.unattended.accepting import accepting
from oz_installer.unattended.context import Flags, Opener, Shared, asker, opened_by, patience


def prepare_for(loaded: LoadedAnswers, path: Path, flags: Flags, opener: Opener, shared: Shared) -> Prepared:
    """Connect, look and compare. Raises what ``prepare`` raises."""
    loaded = accepting(loaded, flags.accept)
    open_node = opened_by(opener, loaded, path)
    count = len(flags.limit or loaded.answers.nodes)
    with patience(f"Connecting to {counted(count, 'node')} ...", quiet=flags.json):
        prepared = prepare(
            loaded, path, open_node, ask=asker(), limit=flags.limit, new_secrets=flags.new_secrets
        )
    shared.masker = prepared.blueprint.secrets.masker()
    return prepared
