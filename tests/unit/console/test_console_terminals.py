"""A plain terminal (TERM=dumb) cannot be drawn on, but its operator is asked all the same."""

from __future__ import annotations

import getpass
import io
import sys
from typing import Any

import click
import pytest

from oz_installer.console.commands import install, plan
from oz_installer.console.commands import preflight as preflight_command
from oz_installer.console.commands.install_flags import InstallFlags
from oz_installer.console.context import code_prompt, secret_prompt
from oz_installer.console.output.progress import output_kind
from oz_installer.console.output.streams import colours, is_interactive, is_terminal
from oz_installer.errors import Interrupted


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("term", "draws"), [("dumb", False), ("", False), ("xterm", True)])
def test_who_is_asked_and_where_is_drawn(monkeypatch: pytest.MonkeyPatch, term: str, draws: bool) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    assert is_interactive(stream)
    assert (is_terminal(stream), colours(stream)) == (draws, draws)
    assert output_kind(False, stream) == ("live" if draws else "lines")
    monkeypatch.setattr(sys, "stdin", stream)
    assert secret_prompt() is not None


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    closed = Terminal()
    monkeypatch.setattr(closed, "isatty", lambda: io.StringIO.isatty(closed))
    closed.close()
    for stream in (io.StringIO(), closed):
        assert not is_interactive(stream)
        monkeypatch.setattr(sys, "stdin", stream)
        assert secret_prompt() is None
        assert code_prompt() is None


def test_a_secret_is_asked_for_once_and_a_code_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def read(prompt: str, stream: object) -> str:
        asked.append(prompt)
        return str(len(asked))

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", read)
    secret, code = secret_prompt(), code_prompt()
    assert secret is not None
    assert code is not None
    assert [secret("SSH password").reveal() for _ in range(2)] == ["1", "1"]
    assert [code("root@n1: Code\x1b[2J").reveal() for _ in range(2)] == ["2", "3"]
    assert all(prompt.isprintable() for prompt in asked)


def test_a_plain_terminal_is_asked_before_anything_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Prepared:
        class plan:
            nothing_to_do = False

        def require_engines(self) -> None:
            """All is there."""

    asked: list[str] = []

    def confirm(text: str, **_: Any) -> bool:
        asked.append(text)
        return False

    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(plan, "print_plan", lambda *_, **__: None)
    warnings = [0, 2, 0]
    monkeypatch.setattr(preflight_command, "preflight", lambda *_: warnings.pop(0))
    monkeypatch.setattr(click, "confirm", confirm)
    prepared: Any = Prepared()
    for _ in range(2):
        with pytest.raises(Interrupted):
            install._is_wanted(prepared, InstallFlags())
    assert asked == ["Continue?", "Continue despite 2 warnings?"]
    assert install._is_wanted(prepared, InstallFlags(yes=True))
