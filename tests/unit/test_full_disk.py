"""Output that cannot be written is told, unless its reader went away on purpose."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str, stdout: str) -> subprocess.CompletedProcess[str]:
    """``oz-install`` with its output somewhere."""
    with Path(stdout).open("w") as out:
        return subprocess.run(
            (sys.executable, "-m", "oz_installer", *words),
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("schema",)])
def test_a_full_disk_is_told(words: tuple[str, ...]) -> None:
    done = run(*words, stdout="/dev/full")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "unexpected" not in done.stderr


def test_a_reader_that_went_away_is_not() -> None:
    code = "from oz_installer.__main__ import leave; import sys; sys.stdin.read(); print(1); leave(0)"
    command = f"env -u PYTHONUNBUFFERED {sys.executable} -c '{code}'; echo $? >&2"
    with subprocess.Popen(
        ("sh", "-c", command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b"0\n"
