"""``oz-install check``: the preflight as a table or as JSON lines."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from oz_installer.answers.file import read
from oz_installer.checks.model import Finding
from oz_installer.deploy.saying import counted
from oz_installer.errors import Interrupted, PreflightError
from oz_installer.installation.checking import report_order, run_checks
from oz_installer.telling.findings import state_word, total_words
from oz_installer.telling.tables import table
from oz_installer.telling.words import clean_line
from oz_installer.unattended.command import prepare_for
from oz_installer.unattended.context import Flags, Opener, Shared
from oz_installer.unattended.stopping import stoppable
from oz_installer.unattended.streams import is_terminal, write


def check(path: Path, flags: Flags, opener: Opener, shared: Shared) -> None:
    """Print every finding. Raises PreflightError when one is a failure; Interrupted."""
    prepared = prepare_for(read(path), path, flags, opener, shared)
    found: list[Finding] = []
    try:
        with stoppable() as stop:
            run_checks(prepared, found.append, stop)
            if stop.is_set():
                raise Interrupted("stopped at your request", "Nothing was changed.")
    finally:
        prepared.close()
    answers = prepared.blueprint.answers
    found = report_order(found, [node.name for node in answers.nodes])
    if flags.json:
        write(sys.stdout, findings_json(found, answers.accept))
    else:
        width = min(max(shutil.get_terminal_size().columns, 80), 140) if is_terminal(sys.stdout) else 100
        write(sys.stdout, findings_text(found, answers.accept, width))
    _refuse(found)


def findings_text(found: Sequence[Finding], accepted: Collection[str], width: int = 100) -> str:
    """The table by node, and a line that counts."""
    rows, last = [], None
    for one in found:
        node = one.node or ""
        rows.append([node if node != last else "", one.subject, state_word(one, accepted), _words(one)])
        last = node
    text = table(["NODE", "CHECK", "RESULT", "SEEN"], rows, width)
    return f"{text}{total_words(found, accepted)}\n"


def findings_json(found: Sequence[Finding], accepted: Collection[str]) -> str:
    """One JSON object a line, and one that counts."""
    lines = [
        {"event": "Finding", **asdict(one), "accepted": one.level == "warning" and one.id in accepted}
        for one in found
    ]
    total = {level: sum(one.level == level for one in found) for level in ("ok", "warning", "failure")}
    ended = {
        "event": "CheckEnded",
        "ok": total["ok"],
        "warnings": total["warning"],
        "failures": total["failure"],
    }
    return "".join(f"{json.dumps(line)}\n" for line in [*lines, ended])


def _words(one: Finding) -> str:
    """What was seen; where that is not well also what is needed, why, what to do, and the id to accept."""
    if one.level == "ok":
        return clean_line(one.seen)
    needed = f"needed: {one.needed}" if one.needed else ""
    sentence = "; ".join(part for part in (one.seen, needed) if part)
    name = f"[{one.id}]" if one.level == "warning" else ""
    return clean_line(" ".join(part for part in (f"{sentence}.", one.why, one.hint, name) if part))


def _refuse(found: Sequence[Finding]) -> None:
    failed = [one for one in found if one.level == "failure"]
    if failed:
        where = ", ".join(dict.fromkeys(one.node for one in failed if one.node))
        raise PreflightError(
            f"{counted(len(failed), 'check')} failed" + (f" ({where})" if where else ""),
            "Mend what the table calls FAILURE, then check again. Nothing was changed.",
        )
