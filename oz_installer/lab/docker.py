"""Run commands on this machine, mostly docker, with one kind of error."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from oz_installer.errors import DeployError

_LAST_LINES = 15


@dataclass(frozen=True)
class Result:
    """Exit status and output of a command."""

    status: int
    out: str
    err: str


def run(
    argv: Sequence[str | Path],
    *,
    text: str | None = None,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    check: bool = True,
    timeout: float = 900,
) -> Result:
    """Run a command with ``text`` or the file ``stdin`` as its input; ``timeout`` in seconds.

    Raises DeployError with the last lines of output when the command fails and ``check`` is set.
    """
    command = [str(part) for part in argv]
    source: IO[bytes] | int = subprocess.PIPE if text is not None else (stdin or subprocess.DEVNULL)
    try:
        with subprocess.Popen(
            command, stdin=source, stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                out, err = process.communicate(text.encode() if text is not None else None, timeout=timeout)
            except BaseException:
                process.kill()
                raise
    except FileNotFoundError as error:
        raise DeployError(f"command not found: {command[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"«{_short(command)}» did not finish within {timeout:.0f} s") from error
    result = Result(process.returncode, (out or b"").decode(errors="replace"), err.decode(errors="replace"))
    if check and result.status != 0:
        tail = "\n".join((result.err or result.out).strip().splitlines()[-_LAST_LINES:])
        raise DeployError(f"«{_short(command)}» failed with status {result.status}: {tail}")
    return result


def docker(
    *arguments: str | Path, text: str | None = None, check: bool = True, timeout: float = 900
) -> Result:
    """Run docker on this machine."""
    return run(["docker", *arguments], text=text, check=check, timeout=timeout)


def inspect(kind: str, name: str) -> dict[str, Any] | None:
    """Return ``docker inspect`` of a container, image, network or volume; None if missing."""
    result = docker(kind, "inspect", name, check=False, timeout=60)
    if result.status != 0:
        return None
    found: list[dict[str, Any]] = json.loads(result.out)
    return found[0] if found else None


def labelled(kind: str, label: str) -> list[str]:
    """Return the sorted names of all containers, networks or volumes with the label."""
    every = ["--all"] if kind == "container" else []
    column = "{{.Names}}" if kind == "container" else "{{.Name}}"
    result = docker(kind, "ls", *every, "--filter", f"label={label}", "--format", column, timeout=60)
    return sorted(result.out.split())


def _short(command: Sequence[str]) -> str:
    """Return the first words of a command, without what may be long or secret."""
    return " ".join(command[:3])
