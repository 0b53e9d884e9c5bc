"""The files on this machine that answers in the making name: whether they can be used as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.local_files import UnreadableFile, read_file, resolve_path
from oz_installer.answers.model import SecretRef
from oz_installer.answers.questions import questions
from oz_installer.answers.secrets.resolve import secret_file_problem
from oz_installer.errors import Problem

ENOUGH = 1024
"""So many bytes of a file show that there is something in it."""

CORRECT = "put it there, or correct the path"


def file_problems(working: WorkingCopy, base: Path) -> tuple[Problem, ...]:
    """What is wrong with the file of every question that is answered with one, in file order. ``base`` is the
    folder of the answers file."""
    named = {key: working.get(key) for key in _keys(working)}
    faults = {one: _fault(one, base) for one in set(named.values())}  # fifty nodes may name the same key
    return tuple(_problem(key, faults[one]) for key, one in named.items() if faults[one])


def _keys(working: WorkingCopy) -> Iterator[str]:
    """Every question whose answer, given or by default, is a file here."""
    for asked in questions():
        many = range(working.nodes()) if "[]" in asked.key else (0,)
        for place in many if asked.kind in ("path", "secret") else ():
            key = asked.key.replace("[]", f"[{place}]")
            named = None if key in working.texts else working.get(key)
            if isinstance(named, Path) or (isinstance(named, SecretRef) and named.kind == "file"):
                yield key


def _problem(key: str, text: str) -> Problem:
    message, _, hint = text.partition("; ")
    return Problem(key=key, message=message, hint=hint or CORRECT)


def _fault(named: Path | SecretRef, base: Path) -> str:
    """``problem; what would be right``; empty when the file can be used."""
    if isinstance(named, SecretRef):
        return secret_file_problem(named, base)
    file = resolve_path(named, base)
    try:
        read_file(file, ENOUGH)
    except UnreadableFile as fault:
        return f"{file} {fault}"
    return ""
