"""Helpers that the console commands share: opening connections, prompts, output."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from oz_installer.answers.file import LoadedAnswers
from oz_installer.console.output.streams import is_interactive, write
from oz_installer.console.output.typing_pause import displays_paused, register, unregister
from oz_installer.deploy.events import Event, PhaseStarted
from oz_installer.installation.platform import Opener
from oz_installer.secret import Masker, Secret
from oz_installer.text import single_line


class RunState(Protocol):
    """State of a run that its last error message needs."""

    debug: bool
    masker: Masker | None


def bind_opener(opener: Opener, loaded: LoadedAnswers, path: Path) -> Callable[..., Any]:
    """Return a function that opens a connection to a node of these answers."""
    ask_code = code_prompt()
    asking = {} if ask_code is None else {"ask_code": ask_code}
    return functools.partial(opener, base=path.parent, known_hosts=loaded.answers.known_hosts, **asking)


@contextlib.contextmanager
def slow_notice(text: str, *, quiet: bool) -> Iterator[None]:
    """Print the text once the ``with`` block has taken a second."""
    timer = threading.Timer(1.0, write, (sys.stderr, f"{text}\n"))
    timer.daemon = True
    if not quiet:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


class PhaseNotice:
    """Prints the phase in progress after a second, and every later phase at once."""

    def __init__(self, *, quiet: bool) -> None:
        self._phase = ""
        self._slow = self._paused = False
        self._lock = threading.Lock()
        self._quiet = quiet
        self._timer = threading.Timer(1.0, self._on_slow)
        self._timer.daemon = True

    def __enter__(self) -> PhaseNotice:
        if not self._quiet:
            register(self)
            self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        unregister(self)

    def pause(self) -> None:
        """Print nothing while the operator types."""
        with self._lock:
            self._paused = True

    def resume(self) -> None:
        """Print the phase again that is in progress, if the block is slow."""
        with self._lock:
            self._paused = False
            if self._slow and self._phase:
                self._print()

    def on_event(self, event: Event) -> None:
        """Keep the phase that begins, and print it if the block is slow already."""
        if isinstance(event, PhaseStarted):
            with self._lock:
                self._phase = event.phase
                if self._slow:
                    self._print()

    def _on_slow(self) -> None:
        with self._lock:
            self._slow = True
            if self._phase:
                self._print()

    def _print(self) -> None:
        if not self._paused:
            write(sys.stderr, f"{self._phase} ...\n")


def secret_prompt() -> Callable[[str], Secret] | None:
    """Return a function that prompts once for each secret; None without a terminal."""
    ask = code_prompt()
    return None if ask is None else functools.cache(ask)


def code_prompt() -> Callable[[str], Secret] | None:
    """Return a function that prompts every time, for codes; None without a terminal."""
    if not is_interactive(sys.stdin):
        return None
    import getpass

    def ask(label: str) -> Secret:
        _show_typing_at_exit()
        with displays_paused():
            return Secret(getpass.getpass(f"{single_line(label)}: ", stream=sys.stderr))

    return ask


def _show_typing_at_exit() -> None:
    """Let the terminal show what is typed after a program that ended within a prompt."""
    import atexit
    import termios

    with contextlib.suppress(termios.error, OSError, ValueError):
        terminal = sys.stdin.fileno()
        atexit.register(termios.tcsetattr, terminal, termios.TCSANOW, termios.tcgetattr(terminal))


def print_json(document: dict[str, Any]) -> None:
    """Print one line of JSON on stdout; no string in it holds control characters."""
    from oz_installer.console.output.json_lines import mask_strings

    write(sys.stdout, json.dumps(mask_strings(document, Masker()), default=str) + "\n")
