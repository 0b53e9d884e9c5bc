"""Ctrl-C and its kin: the first asks the run to stop and take back what it did, the second leaves at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def signals_as_interrupt() -> Iterator[None]:
    """Every signal that asks to stop raises KeyboardInterrupt, as Ctrl-C does by itself."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled_by(handle):
        yield


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """The event that is set when the operator wants the run to stop; a second signal raises
    KeyboardInterrupt. Only in the main thread; elsewhere nobody sets the event.

    A terminal that closes may hang up twice, the shell and the system each once: that is one wish to stop.
    """
    stop = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and number != getattr(signal, "SIGHUP", None):
            raise KeyboardInterrupt
        stop.set()

    with _handled_by(handle):
        yield stop


@contextmanager
def _handled_by(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Signals that are ignored stay so (nohup); outside the main thread nothing can be handled."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {
        number: signal.signal(number, handle)
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
