"""A program in a pseudo-terminal, whose output is read as it comes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from bench.samples import ToolFailedError, plain_environment

COLUMNS, ROWS = 120, 40


class Pseudo:
    """Starts a program; ``began`` is when. Killed at the end, if it still runs."""

    def __init__(self, command: Sequence[str], folder: Path, extra: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._seen = bytearray()
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=plain_environment({"TERM": "xterm-256color", "COLORTERM": "truecolor", **extra}),
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left of it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def wait_for(self, text: bytes, patience: float) -> float:
        """Seconds from the start until it has written this. Raises ToolFailedError."""
        while text not in self._seen:
            if not self._read(self.began + patience):
                raise ToolFailedError(f"{text!r} was not written: {self._tail()}")
        return time.perf_counter() - self.began

    def wait(self, patience: float) -> None:
        """Until it has ended. Raises ToolFailedError, also when it did not end well."""
        while self._read(self.began + patience):
            pass
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired as error:
            raise ToolFailedError(f"it does not end: {self._tail()}") from error
        if code:
            raise ToolFailedError(f"it ended with status {code}: {self._tail()}")

    def _read(self, until: float) -> bool:
        """Read what is there; False at the end, or when it is too late."""
        ready, _, _ = select.select([self._master], [], [], max(until - time.perf_counter(), 0))
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # nobody has the other end any more
            return False
        self._seen += data
        return bool(data)

    def _tail(self) -> str:
        return self._seen[-3000:].decode("utf-8", "replace")
