"""Connect and compare for a command, with a notice if it takes long."""

from __future__ import annotations

from pathlib import Path

from oz_installer.answers.file import LoadedAnswers
from oz_installer.console.context import PhaseNotice, RunState, bind_opener, secret_prompt
from oz_installer.installation.platform import Opener
from oz_installer.installation.prepare import Prepared, prepare


def prepare_for(
    loaded: LoadedAnswers,
    path: Path,
    opener: Opener,
    shared: RunState,
    *,
    limit: tuple[str, ...] = (),
    accept: tuple[str, ...] = (),
    new_secrets: bool = False,
    quiet: bool = False,
) -> Prepared:
    """Connect, read facts and compare. Raises what ``prepare`` raises."""
    if accept:
        from oz_installer.console.finding_ids import accept_ids

        loaded = accept_ids(loaded, accept)
    open_node = bind_opener(opener, loaded, path)
    with PhaseNotice(quiet=quiet) as notice:
        prepared = prepare(
            loaded,
            path,
            open_node,
            ask=secret_prompt(),
            limit=limit,
            new_secrets=new_secrets,
            emit=notice.on_event,
        )
    shared.masker = prepared.desired_state.secrets.masker()
    return prepared
