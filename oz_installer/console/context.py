"""Helpers that the console commands share: opening connections, prompts, output."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import threading
from collections.abc import Callable, Iterator, Sized
from pathlib import Path
from typing import Any, Protocol

from oz_installer.answers.file import LoadedAnswers
from oz_installer.console.output.streams import is_interactive, write
from oz_installer.secret import Masker, Secret
from oz_installer.text import plural

Opener = Callable[..., Any]


class RunState(Protocol):
    """State of a run that its last error message needs."""

    debug: bool
    masker: Masker | None


def bind_opener(opener: Opener, loaded: LoadedAnswers, path: Path) -> Callable[..., Any]:
    """Return a function that opens a connection to a node of these answers."""
    return functools.partial(opener, base=path.parent, known_hosts=loaded.answers.known_hosts)


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


def connecting_notice(nodes: Sized, *, quiet: bool) -> contextlib.AbstractContextManager[None]:
    """Print the number of nodes to connect to, once connecting has taken a second."""
    return slow_notice(f"Connecting to {plural(len(nodes), 'node')} ...", quiet=quiet)


def secret_prompt() -> Callable[[str], Secret] | None:
    """Return a function that prompts once for each secret; None without a terminal."""
    if not is_interactive(sys.stdin):
        return None
    import getpass

    return functools.cache(lambda label: Secret(getpass.getpass(f"{label}: ", stream=sys.stderr)))


def print_json(document: dict[str, Any]) -> None:
    """Print one line of JSON on stdout."""
    write(sys.stdout, json.dumps(document, default=str) + "\n")
