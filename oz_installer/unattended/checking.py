"""``oz-install check``: the preflight as a table or as JSON lines."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from oz_installer.answers.file import LoadedAnswers, read
from oz_installer.answers.secrets import Ask
from oz_installer.checks.model import Finding
from oz_installer.deploy.saying import counted
from oz_installer.errors import AnswersError, Interrupted, OzError, PreflightError
from oz_installer.installation import Prepared
from oz_installer.installation.checking import chosen_checks, examine, report_order, run_checks
from oz_installer.secret import Masker
from oz_installer.telling.findings import HERE, state_word, total_words
from oz_installer.telling.tables import table
from oz_installer.telling.words import clean_line
from oz_installer.unattended.accepting import accepting, check_names, nothing_examined, unmatched_note
from oz_installer.unattended.context import Flags, Opener, Shared, asker, opened_by, patience
from oz_installer.unattended.stopping import stoppable
from oz_installer.unattended.streams import is_terminal, write
from oz_installer.unattended.writing import write_file

LONG = 10
"""A table of more rows names at its end again what is not well."""


def check(path: Path, flags: Flags, opener: Opener, shared: Shared, *, junit: Path | None = None) -> None:
    """Print every finding, with ``fix`` after mending; also as JUnit XML. Raises PreflightError when one is a
    failure; AnswersError, Interrupted."""
    with _told_in(junit, shared):
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
        write(sys.stdout, report_text(task, found))
    if junit is not None:
        from oz_installer.telling.junit import junit as as_junit

        write_file(junit, as_junit(found, accepted))
    refuse(found, fixed.hint if fixed else None)
    if fixed:
        fixed.refuse()
    if not flags.json:
        write(sys.stderr, _last_words(task, found))


@contextlib.contextmanager
def _told_in(junit: Path | None, shared: Shared) -> Iterator[None]:
    """What ends a check before there are findings stands in its JUnit file, too: a pipeline must not find an
    older one there, or none."""
    try:
        yield
    except OzError as error:
        if junit is not None:
            from oz_installer.telling.junit import junit_of_error

            with contextlib.suppress(AnswersError):  # the first error is the one to be told
                write_file(junit, junit_of_error(error, shared.masker or Masker()))
        raise


def report_text(task: Task, found: Sequence[Finding]) -> str:
    """The table, what is not well in a long one once more, and which checks had nothing to examine."""
    width = min(max(shutil.get_terminal_size().columns, 80), 140) if is_terminal(sys.stdout) else 100
    answers = task.loaded.answers
    none = "".join(f"{line}\n" for line in nothing_examined(answers, task.flags.only, found))
    if none and not found:
        return none
    again = not_well_text(found, answers.accept, width) if len(found) > LONG else ""
    return f"{findings_text(found, answers.accept, width)}{none}{again}"


def _last_words(task: Task, found: Sequence[Finding]) -> str:
    """Accepted ids that match nothing; then how to accept what is only warned of."""
    answers = task.loaded.answers
    bad = [one for one in found if one.level == "warning" and not one.is_accepted(answers.accept)]
    hint = f"hint: {accept_hint(bad, mendable=not task.flags.fix)}\n" if bad else ""
    note = unmatched_note(answers, found, typed=task.flags.accept, only=task.flags.only)
    return f"{note}{hint}"


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
    loaded, only = accepting(read(path), flags.accept), check_names(flags.only)
    chosen_checks(only)
    if (parts := [one for one in flags.only if one not in only]) and not flags.json:
        write(sys.stderr, f"{', '.join(parts)}: examined with the whole of {', '.join(check_names(parts))}\n")
    flags = replace(flags, only=only)
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


def not_well_text(found: Sequence[Finding], accepted: Collection[str], width: int = 100) -> str:
    """A line each for what is neither well nor accepted, failures last: ``FAILURE  node2: Docker: ...``."""
    bad = [one for one in found if one.level != "ok" and not one.is_accepted(accepted)]
    lines = [
        f"{state_word(one, accepted)}  {clean_line(f'{one.node or HERE}: {one.subject}: {one.seen}')}"
        for one in sorted(bad, key=lambda one: one.level == "failure")
    ]
    return "".join(f"{line if len(line) <= width else line[: width - 4] + ' ...'}\n" for line in lines)


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
    return f"Nothing was changed.{_mendable(found)}"


def _mendable(found: Sequence[Finding]) -> str:
    count = sum(one.remedy is not None for one in found)
    return f" oz-install check --fix can mend {counted(count, 'thing')}." if count else ""


def accept_hint(warnings: Sequence[Finding], *, mendable: bool = True) -> str:
    """What to do about warnings that nobody accepted; ``mendable``: also that some can be mended."""
    ids = " ".join(f"--accept {name}" for name in dict.fromkeys(_short(one.id) for one in warnings))
    return (
        f"Mend what is warned of, or accept it: {ids} (or accept: in the answers; with /NODE for one node)."
        f"{_mendable(warnings) if mendable else ''}"
    )


def _short(name: str) -> str:
    """``host.memory`` of ``host.memory/api1``; an id without a dot needs its node."""
    about = name.partition("/")[0]
    return about if "." in about else name


def refuse(found: Sequence[Finding], changed: str | None = None) -> None:
    """Raises PreflightError when there are failures. ``changed``: what was changed, where anything was."""
    failed = [one for one in found if one.level == "failure"]
    if failed:
        where = ", ".join(dict.fromkeys(one.node or HERE for one in failed))
        raise PreflightError(
            f"{counted(len(failed), 'check')} failed" + (f" ({where})" if where else ""),
            f"Mend what the table calls FAILURE, then check again. {changed or _nothing_changed(found)}",
        )
