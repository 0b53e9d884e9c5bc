"""What ``check --fix`` did, and how to take it back: a text beside the answers, newest last."""

from __future__ import annotations

import os
import re
import shlex
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from oz_installer.checks.context import Remedy
from oz_installer.errors import AnswersError, OzError
from oz_installer.frozen import dataclass
from oz_installer.text import safe_line

_HEAD = """\
# What oz-install check --fix did, newest last.
# oz-install check --undo takes it back. By hand: begin with the last entry and run its undo lines in their
# order, on its node as root; those of a database as its administrator. Where an entry ended early, only the
# undo lines below that count.
"""
_AT, _RUN, _UNDO, _PLACE = "  at    ", "  run   ", "  undo  ", "  in database "
_UNDONE = "; nothing was done"
_CLOSED = "nothing is left to take back"
_LEFT = "left to take back:"
_HEAD_LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC  (?P<node>\S+)  (?P<title>.+)")


def undo_log_path(answers: Path) -> Path:
    """``answers.yml`` -> ``answers.undo.txt``."""
    return answers.with_suffix(".undo.txt")


def command_text(remedy: Remedy, command: tuple[str, ...]) -> str:
    """A command as a shell takes it, or a statement of SQL as it is."""
    return " ".join(command) if remedy.database else shlex.join(command)


class UndoLog:
    """Only ever appended to. An entry is on the disk before its first command runs: whatever breaks then, the
    operator can tell what may have been done. Any thread may write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def begin(self, remedy: Remedy) -> None:
        """What is about to be done. Raises OzError when it cannot be written down."""
        place = f"{_PLACE}{remedy.database}" if remedy.database else ""
        lines = [f"{self._head(remedy)}{place}"]
        lines += [f"{_AT}{remedy.at}"] if remedy.at else []
        lines += [f"{_RUN}{command_text(remedy, command)}" for command in remedy.commands]
        lines += [f"{_UNDO}{command_text(remedy, command)}" for command in remedy.undo]
        self._append(lines)

    def end(self, remedy: Remedy, commands: int, error: str, tried: int) -> None:
        """How it ended: after how many commands, why not after all of them, and how many may have changed
        something. What takes those back follows. Raises OzError."""
        if not error:
            self._append([f"{self._head(remedy)}: done"])
            return
        left, count = remedy.undo_for(tried), len(remedy.commands)
        part = f"; {commands} of {count} commands were done" if tried else _UNDONE
        if tried > commands:
            part += ", the next one maybe in part"
        if tried and remedy.undo:
            part += f"; {_LEFT if left else _CLOSED}"
        lines = [f"{self._head(remedy)}: {safe_line(error, 600)}{part}"]
        self._append([*lines, *(f"{_UNDO}{command_text(remedy, command)}" for command in left)])

    def _head(self, remedy: Remedy) -> str:
        return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {remedy.node}  {remedy.title}"

    def _append(self, lines: list[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        try:
            with self._lock:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                with os.fdopen(os.open(self.path, flags, 0o600), "w", encoding="utf-8") as out:
                    out.write(text if out.tell() or os.fstat(out.fileno()).st_size else _HEAD + text)
                    out.flush()
                    os.fsync(out.fileno())
        except OSError as error:
            raise OzError(
                f"cannot write {self.path}: {os.strerror(error.errno or 0)}",
                "Nothing is mended without a list of how to take it back.",
            ) from error


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """What was begun: when, where, and what takes back what is left of it. ``how`` it ended is empty where
    nobody knows."""

    at: str
    node: str
    title: str
    database: str
    undo: tuple[tuple[str, ...], ...]
    how: str
    where: str = ""

    @property
    def back(self) -> str:
        """The title of taking it back."""
        return f"take back what was done at {self.at}: {self.title}"


def pending_undos(path: Path) -> list[Remedy]:
    """What the list says takes everything back that was not taken back yet, the last entry first.

    Raises OzError when there is no list, or it cannot be read.
    """
    try:
        entries = _entries(path.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise AnswersError(f"cannot read {path}: {error}", "Nothing was changed.") from error
    open_ones: list[_Entry] = []
    for entry in entries:
        taken = next((one for one in open_ones if (one.node, one.back) == (entry.node, entry.title)), None)
        if taken and entry.how == "done":
            open_ones.remove(taken)
        if entry.undo and not entry.how.endswith((_UNDONE, _CLOSED)):
            open_ones.append(entry)
    return [
        Remedy(title=one.back, node=one.node, commands=one.undo, database=one.database, at=one.where)
        for one in reversed(open_ones)
    ]


def _entries(lines: Sequence[str]) -> list[_Entry]:
    """A head is followed by what is run; the line that tells how it ended is not, at most by what is left."""
    found: list[_Entry] = []
    for number, line in enumerate(lines):
        head = _HEAD_LINE.fullmatch(line)
        if head is None:
            continue
        rest = list(takewhile(lambda one: one.startswith("  "), lines[number + 1 :]))
        undo = [one.removeprefix(_UNDO) for one in rest if one.startswith(_UNDO)]
        if not any(one.startswith(_RUN) for one in rest):
            _end(found, head["node"], head["title"], undo)
            continue
        title, _, database = head["title"].partition(_PLACE)
        found.append(
            _Entry(
                at=head["at"],
                node=head["node"],
                title=title,
                database=database,
                undo=_commands(undo, database),
                how="",
                where=next((one.removeprefix(_AT) for one in rest if one.startswith(_AT)), ""),
            )
        )
    return found


def _end(found: list[_Entry], node: str, words: str, undo: Sequence[str]) -> None:
    """Notes how the last entry ended that these words are of; an earlier one of that title was broken off."""
    for place in reversed(range(len(found))):
        entry = found[place]
        title, how = words[: len(entry.title)], words[len(entry.title) :]
        if not entry.how and entry.node == node and title == entry.title and how.startswith(": "):
            how = how.removeprefix(": ")
            left = _commands(undo, entry.database) if how.endswith(_LEFT) else entry.undo
            found[place] = replace(entry, how=how, undo=left)
            return


def _commands(lines: Sequence[str], database: str) -> tuple[tuple[str, ...], ...]:
    """As they are written: a statement of SQL, or words for a shell."""
    return tuple((line,) if database else tuple(shlex.split(line)) for line in lines)
