"""``oz-install logs``: the last log lines of a service, prefixed by node and container."""

from __future__ import annotations

import sys
from pathlib import Path

from oz_installer.answers.file import read
from oz_installer.console.context import PhaseNotice, bind_opener, print_json, secret_prompt
from oz_installer.console.output.streams import write
from oz_installer.errors import PreflightError
from oz_installer.installation.logs import read_logs
from oz_installer.installation.platform import Opener
from oz_installer.text import single_line


def show_logs(path: Path, service: str, lines: int, opener: Opener, *, json: bool = False) -> None:
    """Print the last log lines of a service, from every node that runs it.

    Then raises PreflightError naming the containers whose log cannot be read.
    """
    loaded = read(path)
    open_node = bind_opener(opener, loaded, path)
    with PhaseNotice(quiet=json) as notice:
        found = read_logs(loaded, path, open_node, service, lines, ask=secret_prompt(), emit=notice.on_event)
    for key, text in found.texts.items():
        if json:
            node, _, name = key.partition("/")
            for line in text.splitlines():
                print_json({"event": "LogLine", "node": node, "service": name, "text": single_line(line)})
            continue
        log = (f"{key} | {single_line(line)}\n" for line in text.splitlines() or ["(no log)"])
        write(sys.stdout, "".join(log))
    if found.failures:
        errors = (f"cannot read the log of {key}: {reason}" for key, reason in found.failures.items())
        raise PreflightError("\n".join(errors), "Run oz-install status to see what runs where.")
