"""Check the local files that incomplete answers name."""

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
"""Bytes to read from a file to know that it is readable and not empty."""

CORRECT = "create the file, or correct the path"


def file_problems(working: WorkingCopy, base: Path) -> tuple[Problem, ...]:
    """Return the problem of each file that an answer names, in file order.

    ``base`` is the folder of the answers file.
    """
    named = {key: working.get(key) for key in _keys(working)}
    faults = {one: _fault(one, base) for one in set(named.values())}  # fifty nodes may name the same key
    return tuple(_problem(key, faults[one]) for key, one in named.items() if faults[one])


def _keys(working: WorkingCopy) -> Iterator[str]:
    """Yield every question whose answer, given or by default, is a local file."""
    for asked in questions():
        many = range(working.nodes()) if "[]" in asked.key else (0,)
        for index in many if asked.kind in ("path", "secret") else ():
            key = asked.key.replace("[]", f"[{index}]")
            named = None if key in working.texts else working.get(key)
            if isinstance(named, Path) or (isinstance(named, SecretRef) and named.kind == "file"):
                yield key


def _problem(key: str, text: str) -> Problem:
    message, _, hint = text.partition("; ")
    return Problem(key=key, message=message, hint=hint or CORRECT)


def _fault(named: Path | SecretRef, base: Path) -> str:
    """Return ``problem; hint``; empty if the file can be used."""
    if isinstance(named, SecretRef):
        return secret_file_problem(named, base)
    file = resolve_path(named, base)
    try:
        read_file(file, ENOUGH)
    except UnreadableFile as fault:
        return f"{file} {fault}"
    return ""
