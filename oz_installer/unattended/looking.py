"""The commands that only look: status and logs."""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.answers.file import read
from oz_installer.deploy.saying import counted
from oz_installer.errors import PreflightError
from oz_installer.installation import read_logs, survey
from oz_installer.unattended.context import Flags, Opener, Shared, asker, opened_by, patience, print_json
from oz_installer.unattended.streams import write
from oz_installer.unattended.tables import summary_json, summary_text
from oz_installer.unattended.words import clean_line, one_line

NOT_READY = PreflightError.exit_code


def show_status(path: Path, flags: Flags, opener: Opener, shared: Shared) -> int:
    """Print what runs where; the exit code: 0 when all of it is as it should be, else 3."""
    loaded = read(path)
    open_node = opened_by(opener, loaded, path)
    count = len(flags.limit or loaded.answers.nodes)
    with patience(f"Connecting to {counted(count, 'node')} ...", quiet=flags.json):
        seen = survey(loaded, path, open_node, ask=asker(), limit=flags.limit)
    shared.masker = seen.masker
    if flags.json:
        print_json(summary_json(seen.summary))
    else:
        write(sys.stdout, seen.masker(summary_text(seen.summary)))
        hints = list(seen.hints)
        if seen.summary.bare:
            hints.append(f"oz-install --answers {path} installs what is missing.")
        for hint in hints:
            write(sys.stderr, f"hint: {one_line(seen.masker(hint))}\n")
    return 0 if seen.summary.ready else NOT_READY


def show_logs(path: Path, service: str, lines: int, opener: Opener, *, json: bool = False) -> None:
    """Print the last log lines of a service, wherever it runs. Raises PreflightError naming the containers
    whose log cannot be read, after the others."""
    loaded = read(path)
    with patience(f"Connecting to {counted(len(loaded.answers.nodes), 'node')} ...", quiet=json):
        found = read_logs(loaded, path, opened_by(opener, loaded, path), service, lines, ask=asker())
    for key, text in found.texts.items():
        if json:
            node, _, name = key.partition("/")
            for line in text.splitlines():
                print_json({"event": "LogLine", "node": node, "service": name, "text": clean_line(line)})
            continue
        told = (f"{key} | {clean_line(line)}\n" for line in text.splitlines() or ["(no log)"])
        write(sys.stdout, "".join(told))
    if found.failures:
        told = (f"cannot read the log of {key}: {why}" for key, why in found.failures.items())
        raise PreflightError("\n".join(told), "oz-install status shows what runs where.")
