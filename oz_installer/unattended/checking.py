"""``oz-install check``: the preflight as a table or as JSON lines."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers, read
from oz_installer.answers.secrets import Ask
from oz_installer.checks.model import Finding
from oz_installer.deploy.saying import counted
from oz_installer.errors import Interrupted, PreflightError
from oz_installer.installation import Prepared
from oz_installer.installation.checking import examine, report_order, run_checks
from oz_installer.secret import Masker
from oz_installer.telling.findings import HERE, state_word, total_words
from oz_installer.telling.tables import table
from oz_installer.telling.words import clean_line
from oz_installer.unattended.accepting import accepting
from oz_installer.unattended.context import Flags, Opener, Shared, asker, opened_by, patience
from oz_installer.unattended.stopping import stoppable
from oz_installer.unattended.streams import is_terminal, write
from oz_installer.unattended.writing import write_file


def check(path: Path, flags: Flags, opener: Opener, shared: Shared, *, junit: Path | None = None) -> None:
    """Print every finding, with ``fix`` after mending; also as JUnit XML. Raises PreflightError when one is a
    failure; Interrupted."""
    task = task_of(path, flags, opener, shared)
    found, fixed = looked(task), None
    if flags.fix:
        from oz_installer.unattended.fixing import fix

        fixed = fix(task, found)
        found = fixed.found
    accepted = task.loaded.answers.accept
    if flags.json:
        write(sys.stdout, findings_json(found, accepted))
    else:
        width = min(max(shutil.get_terminal_size().columns, 80), 140) if is_terminal(sys.stdout) else 100
        write(sys.stdout, findings_text(found, accepted, width))
    if junit is not None:
        from oz_installer.telling.junit import junit as as_junit

        write_file(junit, as_junit(found, accepted))
    refuse(found, fixed.hint if fixed else None)
    if fixed:
        fixed.refuse()


@dataclass(frozen=True, kw_only=True)
class Task:
    """Answers to be checked, maybe more than once, and how their nodes are reached."""

    loaded: LoadedAnswers
    path: Path
    flags: Flags
    open_node: Opener
    ask: Ask | None
    shared: Shared

    @property
    def masker(self) -> Masker:
        """What hides the secrets, once they are known."""
        return self.shared.masker or Masker()


def task_of(path: Path, flags: Flags, opener: Opener, shared: Shared) -> Task:
    """Reads the answers. Raises AnswersError."""
    loaded = accepting(read(path), flags.accept)
    opened = opened_by(opener, loaded, path)
    return Task(loaded=loaded, path=path, flags=flags, open_node=opened, ask=asker(), shared=shared)


def looked(task: Task) -> list[Finding]:
    """All findings over connections of their own, in the order of a report. Raises AnswersError,
    Interrupted."""
    found: list[Finding] = []
    with stoppable() as stop, patience("Checking ...", quiet=task.flags.json):
        task.shared.masker = examine(
            task.loaded,
            task.path,
            task.open_node,
            found.append,
            stop,
            ask=task.ask,
            limit=task.flags.limit,
            only=task.flags.only,
        )
        _go_on(stop)
    return report_order(found, [node.name for node in task.loaded.answers.nodes])


def _go_on(stop: threading.Event) -> None:
    if stop.is_set():
        raise Interrupted("stopped at your request", "Nothing was changed.")


def examined(prepared: Prepared, flags: Flags) -> list[Finding]:
    """All findings over the connections of a run, in the order of a report. Raises Interrupted."""
    found: list[Finding] = []
    with stoppable() as stop, patience("Checking ...", quiet=flags.json):
        run_checks(prepared, found.append, stop)
        _go_on(stop)
    return report_order(found, [node.name for node in prepared.blueprint.answers.nodes])


def findings_text(
    found: Sequence[Finding],
    accepted: Collection[str],
    width: int = 100,
    *,
    of: Sequence[Finding] | None = None,
) -> str:
    """The table by node, and a line that counts; ``of``: all that were found, where these are a part."""
    rows, last = [], None
    for one in found:
        node = one.node or HERE
        rows.append([node if node != last else "", one.subject, state_word(one, accepted), _words(one)])
        last = node
    text = table(["NODE", "CHECK", "RESULT", "SEEN"], rows, width)
    return f"{text}{total_words(found if of is None else of, accepted)}\n"


def findings_json(found: Sequence[Finding], accepted: Collection[str], *, total: bool = True) -> str:
    """One JSON object a line, and one that counts."""
    lines = [{"event": "Finding", **asdict(one), "accepted": one.is_accepted(accepted)} for one in found]
    if not total:
        return "".join(f"{json.dumps(line)}\n" for line in lines)
    sums = {level: sum(one.level == level for one in found) for level in ("ok", "warning", "failure")}
    ended = {
        "event": "CheckEnded",
        "ok": sums["ok"],
        "warnings": sums["warning"],
        "failures": sums["failure"],
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


def _nothing_changed(found: Sequence[Finding]) -> str:
    """Also says what need not be done by hand."""
    count = sum(one.remedy is not None for one in found)
    able = f" oz-install check --fix can mend {counted(count, 'thing')}." if count else ""
    return f"Nothing was changed.{able}"


def refuse(found: Sequence[Finding], changed: str | None = None) -> None:
    """Raises PreflightError when there are failures. ``changed``: what was changed, where anything was."""
    failed = [one for one in found if one.level == "failure"]
    if failed:
        where = ", ".join(dict.fromkeys(one.node or HERE for one in failed))
        raise PreflightError(
            f"{counted(len(failed), 'check')} failed" + (f" ({where})" if where else ""),
            f"Mend what the table calls FAILURE, then check again. {changed or _nothing_changed(found)}",
        )
