"""``oz-install status``: which services run where, as a table or as JSON."""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.answers.file import read
from oz_installer.console.context import (
    PhaseNotice,
    RunState,
    bind_opener,
    print_json,
    secret_prompt,
)
from oz_installer.console.output.json_documents import summary_json
from oz_installer.console.output.streams import write
from oz_installer.errors import PreflightError
from oz_installer.formatting.summary import summary_text
from oz_installer.installation.platform import Opener
from oz_installer.installation.status import read_status
from oz_installer.text import one_line
from oz_installer.topology.summary import NOT_VERIFIED

NOT_READY = PreflightError.exit_code


def show_status(
    path: Path, opener: Opener, shared: RunState, *, limit: tuple[str, ...] = (), json: bool = False
) -> int:
    """Print which services run where; return 0 when all are installed and healthy, else 3."""
    loaded = read(path)
    open_node = bind_opener(opener, loaded, path)
    with PhaseNotice(quiet=json) as notice:
        seen = read_status(loaded, path, open_node, ask=secret_prompt(), limit=limit, emit=notice.on_event)
    shared.masker = seen.masker
    if json:
        print_json(summary_json(seen.summary))
    else:
        write(sys.stdout, seen.masker(summary_text(seen.summary)))
        hints = list(seen.hints)
        if seen.summary.not_installed:
            hints.append(f"Run oz-install --answers {path} to install what is missing.")
        if any(row.state == NOT_VERIFIED for row in seen.summary.rows):
            hints.append(f"Run oz-install --answers {path} to verify what runs.")
        for hint in hints:
            write(sys.stderr, f"hint: {one_line(seen.masker(hint))}\n")
    return 0 if seen.summary.is_healthy else NOT_READY
