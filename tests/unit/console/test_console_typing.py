"""The live display stands still while the operator types a code, and goes on afterwards."""

from __future__ import annotations

import getpass
import io
import sys
import threading
import time

import pytest

from oz_installer.console.context import PhaseNotice, code_prompt
from oz_installer.console.output.live_display import LiveDisplay
from oz_installer.deploy.events import Message, PhaseStarted, RunStarted
from oz_installer.secret import Masker


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("delay", [0.01, 1000.0])
def test_a_prompt_has_the_terminal_to_itself(monkeypatch: pytest.MonkeyPatch, delay: float) -> None:
    stream = Terminal()
    live = LiveDisplay(stream, Masker(), delay=delay)
    live.on_event(RunStarted(at=1, phases=("A",), nodes=("n1",)))
    live.on_event(PhaseStarted(at=1, phase="A", number=1, of=1))
    until = time.monotonic() + 60
    while delay < 1 and not stream.getvalue():
        assert time.monotonic() < until
        threading.Event().wait(0.02)
    seen: list[str] = []

    def read(prompt: str, stream: object) -> str:
        before = live_text()
        live.on_event(Message(at=2, level="warning", text="meanwhile", node="n1"))
        seen.append(live_text()[len(before) :])
        return "123"

    def live_text() -> str:
        return stream.getvalue()

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", read)
    ask = code_prompt()
    assert ask is not None
    assert ask("Code").reveal() == "123"
    assert seen == [""]
    live.close()
    assert stream.getvalue().count("meanwhile") == 1


def test_the_notice_of_a_slow_phase_waits_for_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdin", Terminal())
    seen: list[str] = []

    with PhaseNotice(quiet=False) as notice:

        def read(prompt: str, stream: object) -> str:
            notice.on_event(PhaseStarted(at=1, phase="Connect", number=1, of=1))
            notice._on_slow()
            seen.append(stream.getvalue() if isinstance(stream, Terminal) else "?")
            return "123"

        monkeypatch.setattr(getpass, "getpass", read)
        ask = code_prompt()
        assert ask is not None
        ask("Code")
    assert seen == [""]
    assert stream.getvalue() == "Connect ...\n"
