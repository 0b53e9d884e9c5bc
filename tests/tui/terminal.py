"""The real program in a pseudo-terminal: keys in, bytes out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""No wait is longer, in seconds; a busy machine needs some."""


class Terminal:
    """A terminal with a program in it. ``seen`` is all that it wrote."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        sized = {"COLUMNS", "LINES"}  # xdist sets them, and they would count for more than the terminal
        outer = {name: value for name, value in os.environ.items() if name not in sized}
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**outer, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.seen = ""
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def text(self) -> str:
        """What was written, without control sequences."""
        return re.sub(r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[\[?][0-9;?<>= ]*[A-Za-z]|\x1b.", "", self.seen)

    def wait_for(self, text: str) -> None:
        """Until the program has written it."""
        until = time.monotonic() + PATIENCE
        while text not in self.text:
            assert self.process.poll() is None, self.text[-2000:]
            assert time.monotonic() < until, f"{text!r} does not come: {self.text[-2000:]}"
            time.sleep(0.02)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def hang_up(self) -> None:
        """Close the terminal."""
        os.close(self.master)
        self.master = -1

    def ended(self) -> int:
        """The exit code, once the program has ended."""
        code = self.process.wait(PATIENCE)
        time.sleep(0.05)
        return code

    def _read(self) -> None:
        try:
            while data := os.read(self.master, 65536):
                self.seen += data.decode("utf-8", "replace")
        except OSError:
            return


@contextmanager
def terminal(
    arguments: Sequence[str],
    folder: Path,
    *,
    module: str = "oz_installer",
    **environment: str,
) -> Iterator[Terminal]:
    """A program in a terminal; killed at the end, if it still runs."""
    command = ("-m", module, *arguments)
    one = Terminal(command, folder, {"XDG_STATE_HOME": str(folder / "state"), **environment})
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()
        if one.master >= 0:
            os.close(one.master)
