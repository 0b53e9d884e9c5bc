"""The real program in a pseudo-terminal: keys in, bytes out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
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


def _ours() -> dict[str, str]:
    """Our environment without a size: it would hold although the terminal has another one."""
    return {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES")}


class Terminal:
    """A terminal with a program. ``seen`` is all its output."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**_ours(), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.seen = ""
        self._hung_up = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """Return the output without control sequences."""
        return re.sub(r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[\[?][0-9;?<>= ]*[A-Za-z]|\x1b.", "", self.seen)

    def wait_for(self, text: str) -> None:
        """Wait until the program has written the text."""
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
        self._hung_up = True
        self._reader.join()
        os.close(self.master)
        self.master = -1

    def ended(self) -> int:
        """The exit code, once the program has ended."""
        code = self.process.wait(PATIENCE)
        time.sleep(0.05)
        return code

    def _read(self) -> None:
        try:
            while not self._hung_up:  # a thread blocked in read() would keep the terminal open
                if select.select([self.master], [], [], 0.05)[0]:
                    self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
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
