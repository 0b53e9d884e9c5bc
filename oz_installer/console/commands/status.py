"""The commands that only look: status and logs."""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.answers.file import read
from oz_installer.console.context import (
    Flags,
    Opener,
    RunState,
    bind_opener,
    print_json,
    secret_prompt,
    slow_notice,
)
from oz_installer.console.output.json_documents import summary_json
from oz_installer.console.output.streams import write
from oz_installer.errors import PreflightError
from oz_installer.formatting.summary import summary_text
from oz_installer.installation.logs import read_logs
from oz_installer.installation.status import read_status
from oz_installer.text import one_line, plural, single_line

NOT_READY = PreflightError.exit_code


def show_status(path: Path, flags: Flags, opener: Opener, shared: RunState) -> int:
    """Print what runs where; the exit code: 0 when all of it is as it should be, else 3."""
    loaded = read(path)
    open_node = bind_opener(opener, loaded, path)
    count = len(flags.limit or loaded.answers.nodes)
    with slow_notice(f"Connecting to {plural(count, 'node')} ...", quiet=flags.json):
        seen = read_status(loaded, path, open_node, ask=secret_prompt(), limit=flags.limit)
    shared.masker = seen.masker
    if flags.json:
        print_json(summary_json(seen.summary))
    else:
        write(sys.stdout, seen.masker(summary_text(seen.summary)))
        hints = list(seen.hints)
        if seen.summary.not_installed:
            hints.append(f"oz-install --answers {path} installs what is missing.")
        for hint in hints:
            write(sys.stderr, f"hint: {one_line(seen.masker(hint))}\n")
    return 0 if seen.summary.is_healthy else NOT_READY


def show_logs(path: Path, service: str, lines: int, opener: Opener, *, json: bool = False) -> None:
    """Print the last log lines of a service, wherever it runs. Raises PreflightError naming the containers
    whose log cannot be read, after the others."""
    loaded = read(path)
    with slow_notice(f"Connecting to {plural(len(loaded.answers.nodes), 'node')} ...", quiet=json):
        found = read_logs(
            loaded, path, bind_opener(opener, loaded, path), service, lines, ask=secret_prompt()
        )
    for key, text in found.texts.items():
        if json:
            node, _, name = key.partition("/")
            for line in text.splitlines():
                print_json({"event": "LogLine", "node": node, "service": name, "text": single_line(line)})
            continue
        told = (f"{key} | {single_line(line)}\n" for line in text.splitlines() or ["(no log)"])
        write(sys.stdout, "".join(told))
    if found.failures:
        told = (f"cannot read the log of {key}: {why}" for key, why in found.failures.items())
        raise PreflightError("\n".join(told), "oz-install status shows what runs where.")
