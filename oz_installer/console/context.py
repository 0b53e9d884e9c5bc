"""What the commands of an unattended run share: flags, waiting, asking, writing."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from oz_installer.answers.file import LoadedAnswers
from oz_installer.console.output.streams import is_interactive, write
from oz_installer.secret import Masker, Secret

Opener = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What the command line says."""

    yes: bool = False
    dry_run: bool = False
    limit: tuple[str, ...] = ()
    json: bool = False
    health_timeout: float | None = None
    new_secrets: bool = False
    accept: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip_checks: bool = False
    fix: bool = False


class RunState(Protocol):
    """What the command line learns while a command runs, for its last error message."""

    debug: bool
    masker: Masker | None


def bind_opener(opener: Opener, loaded: LoadedAnswers, path: Path) -> Callable[..., Any]:
    """What opens a connection to a node of these answers."""
    return functools.partial(opener, base=path.parent, known_hosts=loaded.answers.known_hosts)


@contextlib.contextmanager
def slow_notice(text: str, *, quiet: bool) -> Iterator[None]:
    """Say what takes so long, once it has taken a second."""
    timer = threading.Timer(1.0, write, (sys.stderr, f"{text}\n"))
    timer.daemon = True
    if not quiet:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def secret_prompt() -> Callable[[str], Secret] | None:
    """What asks for a secret on the terminal, for each once; None where there is none."""
    if not is_interactive(sys.stdin):
        return None
    import getpass

    return functools.cache(lambda label: Secret(getpass.getpass(f"{label}: ", stream=sys.stderr)))


def print_json(document: dict[str, Any]) -> None:
    """One line of JSON on stdout."""
    write(sys.stdout, json.dumps(document, default=str) + "\n")
