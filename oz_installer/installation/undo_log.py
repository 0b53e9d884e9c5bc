"""The undo log of ``check --fix``: a text file next to the answers, newest entry last."""

from __future__ import annotations

import os
import re
import shlex
import stat
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from oz_installer.answers.local_files import foreign_owner
from oz_installer.checks.context import Remedy
from oz_installer.errors import AnswersError, OzError
from oz_installer.frozen import dataclass
from oz_installer.text import safe_line

_HEAD = """\
# What oz-install check --fix did, newest last.
# oz-install check --undo undoes it. By hand: begin with the last entry and run its undo lines in their
# order, on its node as root; for a database, as its administrator. If an entry ended early, run only the
# undo lines below that message.
"""
_AT, _RUN, _UNDO, _IN_DATABASE = "  at    ", "  run   ", "  undo  ", "  in database "
_UNDONE = "; nothing was done"
_CLOSED = "nothing is left to undo"
_LEFT = "left to undo:"
_OLD_CLOSED, _OLD_LEFT, _OLD_TITLE = "nothing is left to take back", "left to take back:", "take back what"
"""Words of the logs that earlier versions wrote."""

_HEAD_LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC  (?P<node>\S+)  (?P<title>.+)")


def undo_log_path(answers: Path) -> Path:
    """``answers.yml`` -> ``answers.undo.txt``."""
    return answers.with_suffix(".undo.txt")


def command_text(remedy: Remedy, command: tuple[str, ...]) -> str:
    """Return a command quoted for a shell, or an SQL statement unchanged."""
    return " ".join(command) if remedy.database else shlex.join(command)


class UndoLog:
    """The undo log, which is only appended to.

    An entry is on disk before its first command runs, so the log covers commands that were interrupted. Any
    thread may write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def begin(self, remedy: Remedy) -> None:
        """Write what is about to be done. Raises OzError when that fails."""
        database = f"{_IN_DATABASE}{remedy.database}" if remedy.database else ""
        lines = [f"{self._head(remedy)}{database}"]
        lines += [f"{_AT}{remedy.at}"] if remedy.at else []
        lines += [f"{_RUN}{command_text(remedy, command)}" for command in remedy.commands]
        lines += [f"{_UNDO}{command_text(remedy, command)}" for command in remedy.undo]
        self._append(lines)

    def end(self, remedy: Remedy, commands: int, error: str, tried: int) -> None:
        """Write the result: completed commands, the error, and the remaining undo commands.

        ``tried`` is the number of commands that may have changed something. Raises OzError.
        """
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
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                with os.fdopen(os.open(self.path, flags, 0o600), "w", encoding="utf-8") as out:
                    _require_ours(self.path, os.fstat(out.fileno()))
                    out.write(text if out.tell() or os.fstat(out.fileno()).st_size else _HEAD + text)
                    out.flush()
                    os.fsync(out.fileno())
        except OSError as error:
            raise OzError(
                f"cannot write {self.path}: {os.strerror(error.errno or 0)}",
                "Make the file writable: nothing is fixed without an undo log.",
            ) from error


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """An entry of the log: when, where, and the commands that undo the rest of it.

    ``how`` it ended is empty if it is unknown.
    """

    at: str
    node: str
    title: str
    database: str
    undo: tuple[tuple[str, ...], ...]
    how: str
    where: str = ""

    @property
    def undo_title(self) -> str:
        """The title of the entry that undoes this one."""
        return f"undo what was done at {self.at}: {self.title}"


def pending_undos(path: Path) -> list[Remedy]:
    """Return remedies that undo every entry not undone yet, the last one first.

    Raises AnswersError when there is no log or it cannot be read.
    """
    try:
        entries = _entries(_read_ours(path).splitlines())
    except (OSError, ValueError) as error:
        raise AnswersError(
            f"cannot read {path}: {error}", "Nothing was changed. Check that the file exists and is readable."
        ) from error
    open_ones: list[_Entry] = []
    for entry in entries:
        title = entry.title.replace(_OLD_TITLE, "undo what", 1)
        undone = next((one for one in open_ones if (one.node, one.undo_title) == (entry.node, title)), None)
        if undone and entry.how == "done":
            open_ones.remove(undone)
        if entry.undo and not entry.how.endswith((_UNDONE, _CLOSED, _OLD_CLOSED)):
            open_ones.append(entry)
    return [
        Remedy(title=one.undo_title, node=one.node, commands=one.undo, database=one.database, at=one.where)
        for one in reversed(open_ones)
    ]


def _read_ours(path: Path) -> str:
    """Read the log. Raises OSError, ValueError; AnswersError when it may be another user's."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, encoding="utf-8") as log:
        _require_ours(path, os.fstat(handle))
        return log.read()


def _require_ours(path: Path, status: os.stat_result) -> None:
    """Raise AnswersError for a log that another user may have written: its commands run as root."""
    problem = foreign_owner(status)
    if not problem and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        problem = f"can be written by others (mode {stat.S_IMODE(status.st_mode):o})"
    if problem:
        hint = f"Read it. If every undo line in it is yours, run: chown $(id -u) {path} && chmod 600 {path}"
        raise AnswersError(f"{path} {problem}", f"Nothing was changed. {hint}")


def _entries(lines: Sequence[str]) -> list[_Entry]:
    """Parse the entries.

    A head line is followed by the commands that are run; a result line at most by the undo commands left.
    """
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
        title, _, database = head["title"].partition(_IN_DATABASE)
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


def _end(found: list[_Entry], node: str, text: str, undo: Sequence[str]) -> None:
    """Set the result of the last open entry with this title; an earlier one was interrupted."""
    for index in reversed(range(len(found))):
        entry = found[index]
        title, how = text[: len(entry.title)], text[len(entry.title) :]
        if not entry.how and entry.node == node and title == entry.title and how.startswith(": "):
            how = how.removeprefix(": ")
            left = _commands(undo, entry.database) if how.endswith((_LEFT, _OLD_LEFT)) else entry.undo
            found[index] = replace(entry, how=how, undo=left)
            return


def _commands(lines: Sequence[str], database: str) -> tuple[tuple[str, ...], ...]:
    """Parse commands: an SQL statement each, or words of a shell."""
    return tuple((line,) if database else tuple(shlex.split(line)) for line in lines)
