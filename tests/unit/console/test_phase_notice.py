"""The notice of a slow command: the phases that connect and read facts, by their titles."""

from __future__ import annotations

import pytest

from oz_installer.console.context import PhaseNotice
from oz_installer.deploy.events import Message, PhaseStarted


class StubTimer:
    """A timer that fires when the test says so."""

    def __init__(self, _seconds: float, action: object) -> None:
        self.action, self.daemon, self.started, self.cancelled = action, False, False, False

    def start(self) -> None:
        self.started = True

    def cancel(self) -> None:
        self.cancelled = True

    def fire(self) -> None:
        assert self.started
        assert callable(self.action)
        self.action()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[StubTimer]:
    made: list[StubTimer] = []

    def make(seconds: float, action: object) -> StubTimer:
        made.append(StubTimer(seconds, action))
        return made[-1]

    monkeypatch.setattr("oz_installer.console.context.threading.Timer", make)
    return made


def started(phase: str) -> PhaseStarted:
    return PhaseStarted(phase=phase, number=1, of=2)


def test_a_fast_run_prints_nothing(timers: list[StubTimer], capsys: pytest.CaptureFixture[str]) -> None:
    with PhaseNotice(quiet=False) as notice:
        notice.on_event(started("Connect to the nodes"))
        notice.on_event(started("Read facts"))
    assert timers[0].cancelled
    assert capsys.readouterr() == ("", "")


def test_a_slow_run_prints_its_phase_and_each_later_one(
    timers: list[StubTimer], capsys: pytest.CaptureFixture[str]
) -> None:
    with PhaseNotice(quiet=False) as notice:
        notice.on_event(started("Connect to the nodes"))
        timers[0].fire()
        assert capsys.readouterr().err == "Connect to the nodes ...\n"
        notice.on_event(Message(level="info", text="not a phase"))
        notice.on_event(started("Read facts"))
        assert capsys.readouterr().err == "Read facts ...\n"


def test_json_output_stays_quiet(timers: list[StubTimer], capsys: pytest.CaptureFixture[str]) -> None:
    with PhaseNotice(quiet=True) as notice:
        notice.on_event(started("Connect to the nodes"))
    assert not timers[0].started
    assert capsys.readouterr() == ("", "")
