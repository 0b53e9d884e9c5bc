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
from oz_installer.answers.secrets.resolve import Ask
from oz_installer.checks.context import Finding
from oz_installer.console.commands.render import write_file
from oz_installer.console.context import Flags, Opener, RunState, bind_opener, secret_prompt, slow_notice
from oz_installer.console.finding_ids import accept_ids, check_names, empty_checks, unmatched_note
from oz_installer.console.output.streams import is_terminal, write
from oz_installer.console.signals import stop_on_signal
from oz_installer.errors import AnswersError, Interrupted, OzError, PreflightError
from oz_installer.formatting.findings import HERE, level_text, total_text
from oz_installer.formatting.summary import table
from oz_installer.installation.check import check_prepared, in_report_order, run_preflight, select_checks
from oz_installer.installation.prepare import Prepared
from oz_installer.secret import Masker
from oz_installer.text import plural, single_line

LONG = 10
"""A table of more rows names at its end again what is not well."""


def check(path: Path, flags: Flags, opener: Opener, shared: RunState, *, junit: Path | None = None) -> None:
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


@dataclass(frozen=True, kw_only=True)
class CheckTask:
    """Answers to be checked, maybe more than once, and how their nodes are reached."""

    loaded: LoadedAnswers
    path: Path
    flags: Flags
    open_node: Opener
    ask: Ask | None
    shared: RunState

    @property
    def masker(self) -> Masker:
        """What hides the secrets, once they are known."""
        return self.shared.masker or Masker()


def make_task(path: Path, flags: Flags, opener: Opener, shared: RunState) -> CheckTask:
    """Reads the answers. Raises AnswersError."""
    loaded, only = accept_ids(read(path), flags.accept), check_names(flags.only)
    select_checks(only)
    if (parts := [one for one in flags.only if one not in only]) and not flags.json:
        write(sys.stderr, f"{', '.join(parts)}: examined with the whole of {', '.join(check_names(parts))}\n")
    flags = replace(flags, only=only)
    opened = bind_opener(opener, loaded, path)
    return CheckTask(
        loaded=loaded, path=path, flags=flags, open_node=opened, ask=secret_prompt(), shared=shared
    )


def run_check(task: CheckTask) -> list[Finding]:
    """All findings over connections of their own, in the order of a report. Raises AnswersError,
    Interrupted."""
    found: list[Finding] = []
    with stop_on_signal() as stop, slow_notice("Checking ...", quiet=task.flags.json):
        task.shared.masker = run_preflight(
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
    return in_report_order(found, [node.name for node in task.loaded.answers.nodes])


def _go_on(stop: threading.Event) -> None:
    if stop.is_set():
        raise Interrupted("stopped at your request", "Nothing was changed.")


def preflight_findings(prepared: Prepared, flags: Flags) -> list[Finding]:
    """All findings over the connections of a run, in the order of a report. Raises Interrupted."""
    found: list[Finding] = []
    with stop_on_signal() as stop, slow_notice("Checking ...", quiet=flags.json):
        check_prepared(prepared, found.append, stop)
        _go_on(stop)
    return in_report_order(found, [node.name for node in prepared.blueprint.answers.nodes])


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
    if one.level == "ok":
        return single_line(one.seen)
    needed = f"needed: {one.needed}" if one.needed else ""
    sentence = "; ".join(part for part in (one.seen, needed) if part)
    name = f"[{one.id}]" if one.level == "warning" else ""
    return single_line(" ".join(part for part in (f"{sentence}.", one.why, one.hint, name) if part))


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
