"""``oz-install check --fix``: show the commands, ask, run them, and check again."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oz_installer.checks.context import Finding, Remedy
from oz_installer.console.commands.check_task import CheckFlags, CheckTask, run_check
from oz_installer.console.context import print_json
from oz_installer.console.output.json_lines import mask_strings
from oz_installer.console.output.progress import open_output
from oz_installer.console.output.streams import is_interactive, write
from oz_installer.console.signals import stop_on_signal
from oz_installer.errors import AnswersError, Interrupted, PreflightError
from oz_installer.installation.repair import RepairResult, distinct, remedy_key, repair
from oz_installer.installation.undo_log import command_text, undo_log_path
from oz_installer.secret import Masker
from oz_installer.text import one_line, plural, single_line

Pair = tuple[Remedy, Finding | None]
ROUNDS = 5
"""A fix may reveal the next finding to fix: an engine, then its start at boot."""


@dataclass(frozen=True, kw_only=True)
class FixResult:
    """The findings of the last check, the fixes before it, and the path of the undo log."""

    found: list[Finding]
    done: list[RepairResult] = field(default_factory=list)
    undo: Path | None = None

    @property
    def hint(self) -> str:
        """The hint of a check that still fails: what was changed."""
        if not any(one.tried for one in self.done):
            return "Nothing was changed."
        first = next((f"{one.failure_advice} " for one in self.done if one.error and one.tried), "")
        return f"{first}The commands that were run, and those that undo them, are in {self.undo}"

    def refuse(self) -> None:
        """Raise PreflightError when a fix failed, although no check fails."""
        if failed := [one for one in self.done if one.error]:
            raise PreflightError(failure_text(failed, "fixed"), self.hint)


def failure_text(failed: Sequence[RepairResult], what: str) -> str:
    """Return how many failed, and the first of them."""
    first = failed[0]
    return f"{plural(len(failed), 'thing')} could not be {what}: {first.remedy.node}: {first.error}"


def fix(task: CheckTask, found: list[Finding]) -> FixResult:
    """Fix what has a remedy and check again, as long as there is something new to fix.

    Raises AnswersError without a terminal unless ``yes`` is set; Interrupted, also when the answer is no.
    """
    accepted, undo = task.loaded.answers.accept, undo_log_path(task.path.absolute())
    done: list[RepairResult] = []
    for _ in range(ROUNDS):
        known = {remedy_key(one.remedy) for one in done}
        remedies = [one for one in _remedies(found, accepted) if remedy_key(one) not in known]
        if not remedies:
            break
        show_remedies(task, [(one, _first(found, one)) for one in remedies], "fixed")
        confirm(task.flags, changed=bool(done))
        done += run_remedies(task, remedies)
        found = run_check(task)
    if not task.flags.json:
        write(sys.stderr, f"{_outcome(found, done, accepted, undo)}\n")
    return FixResult(found=found, done=done, undo=undo)


def _outcome(
    found: Sequence[Finding], done: Sequence[RepairResult], accepted: Collection[str], undo: Path
) -> str:
    """Return the line after the last check."""
    if any(one.tried for one in done):
        return f"The commands that were run, and those that undo them, are in {undo}"
    if any(one.level != "ok" and not one.is_accepted(accepted) for one in found):
        return "check --fix has no fix for these findings. Follow their hints."
    return "There is nothing to fix."


def _remedies(found: Sequence[Finding], accepted: Collection[str]) -> list[Remedy]:
    """Return the remedies of findings that are not accepted."""
    return distinct(one.remedy for one in found if one.remedy and not one.is_accepted(accepted))


def show_remedies(task: CheckTask, pairs: Sequence[Pair], what: str) -> None:
    """Show the commands before the confirmation; ``what`` is ``fixed`` or ``undone``."""
    masker = task.masker
    if task.flags.json:
        for remedy, one in pairs:
            print_json(remedy_json(remedy, one, masker))
        return
    write(sys.stderr, masker("\n".join(remedy_lines(pairs, what))) + "\n")


def _first(found: Sequence[Finding], remedy: Remedy) -> Finding:
    """Return the finding that a remedy is for."""
    return next(one for one in found if one.remedy and remedy_key(one.remedy) == remedy_key(remedy))


def remedy_lines(pairs: Sequence[Pair], what: str = "fixed") -> Iterator[str]:
    """Yield findings, commands and undo commands, node by node."""
    sql = any(remedy.database for remedy, _ in pairs)
    who = "as root, SQL as the database's administrator" if sql else "as root"
    yield f"{plural(len(pairs), 'thing')} can be {what}; the commands run {who}:"
    last = None
    for remedy, one in pairs:
        if remedy.node != last:
            yield from ("", single_line(remedy.node))
        last = remedy.node
        where = f" in the database {remedy.database}" if remedy.database else ""
        where += f" on {remedy.at}" if remedy.at else ""
        if one is not None:
            yield f"  {single_line(f'{one.subject}: {one.seen}')}"
        yield f"  {single_line(f'{remedy.title}{where}:')}"
        yield from (f"    {one_line(command_text(remedy, command))}" for command in remedy.commands)
        if remedy.undo:
            yield "  undone by:"
            yield from (f"    {one_line(command_text(remedy, command))}" for command in remedy.undo)
    yield ""


def remedy_json(remedy: Remedy, one: Finding | None, masker: Masker) -> dict[str, Any]:
    """Return the event ``Remedy``: the commands, and the finding they are for."""
    fields = {
        "id": one.id if one else None,
        "node": remedy.node,
        "title": remedy.title,
        "database": remedy.database,
        "commands": remedy.commands,
        "undo": remedy.undo,
    }
    return {"event": "Remedy", **mask_strings(fields, masker)}


def confirm(flags: CheckFlags, *, changed: bool = False) -> None:
    """Ask. Raises AnswersError without a terminal, Interrupted when the answer is no."""
    if flags.yes:
        return
    if not is_interactive(sys.stdin):
        raise AnswersError(
            "there is no terminal for the confirmation",
            "Add --yes to skip the confirmation. Nothing was changed.",
        )
    import click

    if not click.confirm("Continue?", default=False, err=True):
        left = "earlier fixes stay" if changed else "nothing was changed"
        raise Interrupted(f"stopped at your request; {left}", "Run oz-install check to see all findings.")


def run_remedies(task: CheckTask, remedies: Sequence[Remedy], *, back: bool = False) -> list[RepairResult]:
    """Run remedies and return their results; ``back``: they undo earlier ones.

    Raises Interrupted after the commands in progress have ended.
    """
    masker = task.masker
    screen = open_output("json" if task.flags.json else "lines", sys.stdout, sys.stderr, masker)
    undo = undo_log_path(task.path.absolute())
    try:
        with stop_on_signal() as stop:
            done = repair(
                task.loaded, task.path, task.open_node, remedies, screen.on_event, stop, ask=task.ask
            )
            stopped = stop.is_set()
    finally:
        screen.close()
    if task.flags.json:
        for one in done:
            print_json(repair_json(one, undo, masker, back=back))
    if stopped:
        raise Interrupted(
            "stopped at your request", f"The commands that were run, and those that undo them, are in {undo}"
        )
    return done


def repair_json(one: RepairResult, undo: Path, masker: Masker, *, back: bool) -> dict[str, Any]:
    """Return the event for the result of a remedy, with the commands left to undo it."""
    fields = {
        "node": one.remedy.node,
        "title": one.remedy.title,
        "done": one.commands,
        "of": len(one.remedy.commands),
        "error": one.error,
        "left": one.remaining if back else one.undo_commands,
        "undo_list": str(undo),
    }
    return {"event": "Mended", **mask_strings(fields, masker)}
