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
from oz_installer.console.context import RunState
from oz_installer.console.finding_ids import empty_checks, unmatched_note
from oz_installer.console.output.json_lines import mask_strings
from oz_installer.console.output.streams import is_terminal, write
from oz_installer.errors import AnswersError, OzError, PreflightError
from oz_installer.formatting.findings import HERE, finding_sentences, level_text, total_text
from oz_installer.formatting.summary import table
from oz_installer.installation.platform import Opener
from oz_installer.secret import Masker
from oz_installer.text import plural, single_line

LONG = 10
"""Longest table that does not repeat its warnings and failures at the end."""


def check(
    path: Path, flags: CheckFlags, opener: Opener, shared: RunState, *, junit: Path | None = None
) -> None:
    """Print every finding, after the fixes with ``fix``; also write them as JUnit XML.

    Raises PreflightError when a finding is a failure; AnswersError, Interrupted.
    """
    with _errors_in(junit, shared):
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
        write(sys.stderr, _closing_text(task, found))


@contextlib.contextmanager
def _errors_in(junit: Path | None, shared: RunState) -> Iterator[None]:
    """Write an error of the ``with`` block to the JUnit file, in place of older results."""
    try:
        yield
    except OzError as error:
        if junit is not None:
            from oz_installer.formatting.junit import junit_error_report

            with contextlib.suppress(AnswersError):  # the first error is the one to report
                write_file(junit, junit_error_report(error, shared.masker or Masker()))
        raise


def report_text(task: CheckTask, found: Sequence[Finding]) -> str:
    """Return the table, checks without findings, and for a long table its problems again."""
    width = min(max(shutil.get_terminal_size().columns, 80), 140) if is_terminal(sys.stdout) else 100
    answers = task.loaded.answers
    none = "".join(f"{line}\n" for line in empty_checks(answers, task.flags.only, found))
    if none and not found:
        return none
    again = not_well_text(found, answers.accept, width) if len(found) > LONG else ""
    return f"{findings_text(found, answers.accept, width)}{none}{again}"


def _closing_text(task: CheckTask, found: Sequence[Finding]) -> str:
    """Return the note on unmatched accepted ids, and the hint on warnings."""
    answers = task.loaded.answers
    bad = [one for one in found if one.level == "warning" and not one.is_accepted(answers.accept)]
    hint = f"hint: {accept_hint(bad, fixable=not task.flags.fix)}\n" if bad else ""
    note = unmatched_note(answers, found, typed=task.flags.accept, only=task.flags.only)
    return f"{note}{hint}"


def findings_text(
    found: Sequence[Finding],
    accepted: Collection[str],
    width: int = 100,
    *,
    of: Sequence[Finding] | None = None,
) -> str:
    """Return a table by node and a line of totals; ``of``: all findings, if these are a part."""
    rows, last = [], None
    for one in found:
        node = one.node or HERE
        rows.append(
            [node if node != last else "", one.subject, level_text(one, accepted), _finding_text(one)]
        )
        last = node
    text = table(["NODE", "CHECK", "RESULT", "SEEN"], rows, width)
    return f"{text}{total_text(found if of is None else of, accepted)}\n"


def findings_json(found: Sequence[Finding], accepted: Collection[str], *, total: bool = True) -> str:
    """Return one JSON object per line, and one with the totals."""
    lines = [
        mask_strings({"event": "Finding", **asdict(one), "accepted": one.is_accepted(accepted)}, Masker())
        for one in found
    ]
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
    """Return a line for each problem that is not accepted, failures last."""
    bad = [one for one in found if one.level != "ok" and not one.is_accepted(accepted)]
    lines = [
        f"{level_text(one, accepted)}  {single_line(f'{one.node or HERE}: {one.subject}: {one.seen}')}"
        for one in sorted(bad, key=lambda one: one.level == "failure")
    ]
    return "".join(f"{line if len(line) <= width else line[: width - 4] + ' ...'}\n" for line in lines)


def _finding_text(one: Finding) -> str:
    """Return what was seen; for a problem also what is needed, why, the hint, and the id."""
    sentence, advice = finding_sentences(one)
    if one.level == "ok":
        return sentence
    name = f"[{one.id}]" if one.level == "warning" else ""
    return single_line(f"{sentence}. {advice} {name}")


def _nothing_changed(found: Sequence[Finding]) -> str:
    """Return that nothing was changed, and how many findings can be fixed."""
    return f"Nothing was changed.{_fixable(found)}"


def _fixable(found: Sequence[Finding]) -> str:
    count = sum(one.remedy is not None for one in found)
    return f" Run oz-install check --fix to fix {plural(count, 'finding')}." if count else ""


def accept_hint(warnings: Sequence[Finding], *, fixable: bool = True) -> str:
    """Return the hint on warnings that are not accepted; ``fixable`` adds how many can be fixed."""
    ids = " ".join(f"--accept {name}" for name in dict.fromkeys(_short(one.id) for one in warnings))
    return (
        f"Fix the warnings, or accept them: {ids} (or accept: in the answers; with /NODE for one node)."
        f"{_fixable(warnings) if fixable else ''}"
    )


def _short(name: str) -> str:
    """``host.memory`` of ``host.memory/api1``; an id without a dot needs its node."""
    about = name.partition("/")[0]
    return about if "." in about else name


def raise_on_failures(found: Sequence[Finding], changed: str | None = None) -> None:
    """Raise PreflightError if a check failed; ``changed``: text on what was changed, if any."""
    failed = [one for one in found if one.level == "failure"]
    if failed:
        where = ", ".join(dict.fromkeys(one.node or HERE for one in failed))
        raise PreflightError(
            f"{plural(len(failed), 'check')} failed" + (f" ({where})" if where else ""),
            "Fix the findings marked FAILURE, then run the check again. "
            f"{changed or _nothing_changed(found)}",
        )
