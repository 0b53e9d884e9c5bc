"""Keep apart a command's output and what login and sudo print before it. Pure."""

from __future__ import annotations

import re

from oz_installer.remote.ssh.command_line import Marks

MOST_BYTES = 1 << 20
"""A login that prints more than this before the command runs will not run it."""

_SUDO_RS = b"] Password: "
"""The end of sudo-rs's prompt, which has ours in brackets."""
_NOTICE = re.compile(rb"Please login as the user \S+ rather than")


class StartWatch:
    """Watches both streams of a command until its mark has come on each.

    ``before`` holds, for stdout and stderr, what came before the mark: greetings, prompts, refusals.
    """

    def __init__(self, marks: Marks, *, become: bool) -> None:
        self.marks = marks
        self.become = become
        self.started = False
        self.before = {"stdout": bytearray(), "stderr": bytearray()}
        self._open = {"stdout": False, "stderr": False}

    def take(self, stream: str, data: bytes) -> bytes:
        """Take data of ``stdout`` or ``stderr``; return what belongs to the command."""
        if self._open[stream]:
            return data
        before, mark = self.before[stream], self.marks.run
        searched = max(0, len(before) - len(mark))
        before += data
        found = before.find(mark, searched)
        if found < 0:
            return b""
        own = bytes(before[found + len(mark) :])
        del before[found:]
        self._open[stream] = self.started = True
        return own

    @property
    def is_root(self) -> bool:
        """Whether the login is root already."""
        return self.marks.root in self.before["stderr"]

    @property
    def login_ran(self) -> bool:
        """Whether the login runs commands, so that what follows is said by sudo."""
        return self.marks.login in self.before["stderr"] or self.marks.no_sudo in self.before["stderr"]

    @property
    def has_sudo(self) -> bool:
        """Whether the login has sudo, as far as it said."""
        return self.marks.no_sudo not in self.before["stderr"]

    @property
    def prompts(self) -> int:
        """The number of times that sudo has asked for the password."""
        return self.before["stderr"].count(self.marks.prompt)

    @property
    def is_hopeless(self) -> bool:
        """Whether the command will not run, although its channel is open."""
        sizes = max(len(text) for text in self.before.values())
        return sizes > MOST_BYTES or any(_NOTICE.search(text) for text in self.before.values())

    @property
    def question(self) -> str:
        """The question of sudo other than for the password; empty when there is none."""
        if not self.login_ran:
            return ""
        tail = bytes(self.before["stderr"]).rpartition(b"\n")[2]
        after = (
            tail.rpartition(self.marks.prompt)[2].removeprefix(_SUDO_RS).decode("utf-8", "replace").strip()
        )
        return after if after.endswith((":", "?")) else ""

    def text(self) -> str:
        """Return what was printed in place of running the command, without our marks."""
        marks = self.marks
        parts = []
        for text in (self.before["stderr"], self.before["stdout"]):
            data = bytes(text)
            for mark in (marks.login, marks.no_sudo, marks.prompt):
                data = data.replace(mark, b"")
            parts.append(data.decode("utf-8", "replace").strip())
        return "\n".join(part for part in parts if part)
