"""``oz-install check``: the preflight as a table or as JSON lines."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from oz_installer.checks.context import Finding
from oz_installer.console.commands.check_task import CheckFlags, CheckTask, make_task, run_check
from oz_installer.console.commands.render import write_file
from oz_installer.console.context import Opener, RunState
from oz_installer.console.finding_ids import empty_checks, unmatched_note
from oz_installer.console.output.streams import is_terminal, write
from oz_installer.errors import AnswersError, OzError, PreflightError
from oz_installer.formatting.findings import HERE, finding_sentences, level_text, total_text
from oz_installer.formatting.summary import table
from oz_installer.secret import Masker
from oz_installer.text import plural, single_line

LONG = 10
"""A table of more rows names at its end again what is not well."""


def check(
    path: Path, flags: CheckFlags, opener: Opener, shared: RunState, *, junit: Path | None = None
) -> None:
    """Print every finding, with ``fix`` after mending; also as JUnit XML. Raises PreflightError when one is a
    failure; AnswersError, Interrupted."""
    with _told_in(junit, shared):
        task = make_task(path, flags, opener, shared)
        found, fixed = run_check(task), None
        if flags.fix:
            from oz_installer.console.commands.fix import fix

            fixed = fix(task, found)
            found = fixed.found
    accepted = task.loaded.answers.accept
    if flags.json:
        write(sys.stdout, findings_json(found, accepted))
    else:
        write(sys.stdout, report_text(task, found))
    if junit is not None:
        from oz_installer.formatting.junit import junit_report as as_junit

        write_file(junit, as_junit(found, accepted))
    raise_on_failures(found, fixed.hint if fixed else None)
    if fixed:
        fixed.refuse()
    if not flags.json:
        write(sys.stderr, _last_words(task, found))


@contextlib.contextmanager
def _told_in(junit: Path | None, shared: RunState) -> Iterator[None]:
    """What ends a check before there are findings stands in its JUnit file, too: a pipeline must not find an
    older one there, or none."""
    try:
        yield
    except OzError as error:
        if junit is not None:
            from oz_installer.formatting.junit import junit_error_report

            with contextlib.suppress(AnswersError):  # the first error is the one to be told
                write_file(junit, junit_error_report(error, shared.masker or Masker()))
        raise


def report_text(task: CheckTask, found: Sequence[Finding]) -> str:
    """The table, what is not well in a long one once more, and which checks had nothing to examine."""
    width = min(max(shutil.get_terminal_size().columns, 80), 140) if is_terminal(sys.stdout) else 100
    answers = task.loaded.answers
    none = "".join(f"{line}\n" for line in empty_checks(answers, task.flags.only, found))
    if none and not found:
        return none
    again = not_well_text(found, answers.accept, width) if len(found) > LONG else ""
    return f"{findings_text(found, answers.accept, width)}{none}{again}"


def _last_words(task: CheckTask, found: Sequence[Finding]) -> str:
    """Accepted ids that match nothing; then how to accept what is only warned of."""
    answers = task.loaded.answers
    bad = [one for one in found if one.level == "warning" and not one.is_accepted(answers.accept)]
    hint = f"hint: {accept_hint(bad, mendable=not task.flags.fix)}\n" if bad else ""
    note = unmatched_note(answers, found, typed=task.flags.accept, only=task.flags.only)
    return f"{note}{hint}"


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
        rows.append([node if node != last else "", one.subject, level_text(one, accepted), _words(one)])
        last = node
    text = table(["NODE", "CHECK", "RESULT", "SEEN"], rows, width)
    return f"{text}{total_text(found if of is None else of, accepted)}\n"


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
        f"{level_text(one, accepted)}  {single_line(f'{one.node or HERE}: {one.subject}: {one.seen}')}"
        for one in sorted(bad, key=lambda one: one.level == "failure")
    ]
    return "".join(f"{line if len(line) <= width else line[: width - 4] + ' ...'}\n" for line in lines)


def _words(one: Finding) -> str:
    """What was seen; where that is not well also what is needed, why, what to do, and the id to accept."""
    sentence, advice = finding_sentences(one)
    if one.level == "ok":
        return sentence
    name = f"[{one.id}]" if one.level == "warning" else ""
    return single_line(f"{sentence}. {advice} {name}")


def _nothing_changed(found: Sequence[Finding]) -> str:
    """Also says what need not be done by hand."""
    return f"Nothing was changed.{_mendable(found)}"


def _mendable(found: Sequence[Finding]) -> str:
    count = sum(one.remedy is not None for one in found)
    return f" oz-install check --fix can mend {plural(count, 'thing')}." if count else ""


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


def raise_on_failures(found: Sequence[Finding], changed: str | None = None) -> None:
    """Raises PreflightError when there are failures. ``changed``: what was changed, where anything was."""
    failed = [one for one in found if one.level == "failure"]
    if failed:
        where = ", ".join(dict.fromkeys(one.node or HERE for one in failed))
        raise PreflightError(
            f"{plural(len(failed), 'check')} failed" + (f" ({where})" if where else ""),
            f"Mend what the table calls FAILURE, then check again. {changed or _nothing_changed(found)}",
        )
