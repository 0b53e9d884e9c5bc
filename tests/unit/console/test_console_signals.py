"""What signals do to a run: one asks it to stop, another leaves at once, a hang-up never does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oz_installer.console.signals import SIGNALS, signals_as_interrupt, stop_on_signal

NUMBERS = [getattr(signal, name) for name in SIGNALS]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Whatever handled the signals before handles them afterwards."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    assert {number: signal.getsignal(number) for number in NUMBERS} == before


@pytest.mark.parametrize("number", NUMBERS)
def test_every_signal_interrupts_what_changes_nothing(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), signals_as_interrupt():
        signal.raise_signal(number)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_asks_to_stop_and_the_second_leaves_at_once(number: signal.Signals) -> None:
    with signals_as_interrupt(), stop_on_signal() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_terminal_that_hangs_up_twice_asks_once() -> None:
    with signals_as_interrupt(), stop_on_signal() as stop:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        assert stop.is_set()


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_as_interrupt(), stop_on_signal() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


INTERRUPTED = """
import signal, sys
from oz_installer import __main__
from oz_installer.cli import main

def run(_):
    try:
        exec("signal.raise_signal(signal.SIGINT)")
    except KeyboardInterrupt:
        if sys.argv[1] == "told":
            print("told", file=sys.stderr)
            return 130
        raise

main.run = run
__main__.main()
"""


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("told", "told\n"),
        ("loading", "stopped at your request\nhint: Run the same command again to resume.\n"),
    ],
)
def test_an_interrupt_is_told_once_and_ends_with_its_code(how: str, words: str, tmp_path: Path) -> None:
    """Even one that ``python -m`` takes for nobody's, since it met code that is made while it runs."""
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    command = [sys.executable, "-m", "interrupted", how]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[3]}"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr, done.stdout) == (130, words, "")


def test_a_reader_that_is_gone_changes_no_exit_code() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "oz_installer", "--json", "--answers", "nowhere.yml"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
