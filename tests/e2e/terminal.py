"""A real terminal, kept by tmux: keys in, the screen out. Nothing else is known of the program in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""No wait is longer unless it says so, in seconds; a busy machine needs some."""

PROMPT = "ready> "
PROGRAM = f"""\
#!/bin/sh
PYTHONPATH={ROOT} exec {sys.executable} -m oz_installer "$@"
"""


IN_SIGHT = 20
"""So many letters have room in the narrowest field."""


class Terminal:
    """A shell in a terminal of its own, with ``oz-install`` on its path."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._name = f"oz-e2e-{os.getpid()}-{folder.name}"
        self._seen = folder / "everything.seen"
        self._commands = 0
        self.home, self.state, self.work = (folder / name for name in ("home", "state", "work"))
        for made in (self.home, self.state, self.work, folder / "bin"):
            made.mkdir()
        program = folder / "bin" / "oz-install"
        program.write_text(PROGRAM)
        program.chmod(0o755)
        environment = {
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.state),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
        }
        size = ("-x", str(columns), "-y", str(rows))
        shell = ("-s", "wizard", "-c", str(self.work), f"exec env PS1='{PROMPT}' bash --norc --noprofile -i")
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, *shell, environment=environment)
        self._socket = Path(self._tmux("display-message", "-p", "#{socket_path}").strip())
        self._tmux("pipe-pane", "-o", f"cat >> '{self._seen}'")
        self.see(PROMPT.strip())

    # --- in -------------------------------------------------------------------------------------------
    def press(self, *keys: str) -> None:
        """Press keys, by tmux' names: ``Enter``, ``C-n``, ``BTab``, ``F5``."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type."""
        self._tmux("send-keys", "-l", "--", text)

    def command(self, line: str) -> None:
        """Type a command into the shell; its exit code is told behind it, with a number: the end of the one
        before may still be on the screen."""
        self._commands += 1
        self.type(f'clear; {line}; echo "ended {self._commands}: $?"')
        self.press("Enter")

    def fill(self, *fields: tuple[str, str]) -> None:
        """Type into one field after the other, by Enter; each text must stand behind its label, of a long one
        its end. Without a text the field is passed."""
        for label, text in fields:
            if text:
                self.type(text)
                self.see_row(label, text[-IN_SIGHT:])
            self.press("Enter")

    # --- out ------------------------------------------------------------------------------------------
    @property
    def screen(self) -> str:
        """What stands on the screen."""
        return self._tmux("capture-pane", "-p")

    def see(self, *texts: str, limit: float = PATIENCE) -> str:
        """Wait until all of these stand on the screen; the screen then."""
        return self._wait(lambda screen: all(text in screen for text in texts), " and ".join(texts), limit)

    def see_row(self, *parts: str, limit: float = PATIENCE) -> str:
        """Wait until they stand in one row, in this order."""
        wanted = re.compile(".*".join(re.escape(part) for part in parts))
        return self._wait(lambda screen: wanted.search(screen) is not None, " … ".join(parts), limit)

    def see_like(self, wanted: str, name: str, limit: float = PATIENCE) -> str:
        """Wait until a pattern is found on the screen; ``name`` says of what."""
        pattern = re.compile(wanted, re.MULTILINE)
        return self._wait(lambda screen: pattern.search(screen) is not None, name, limit)

    def ended(self, code: int) -> str:
        """Wait until the command has ended, with that exit code; what it left on the screen."""
        end = f"ended {self._commands}:"
        screen = self.see_like(rf"^{end} \d+$", "the end of the command")
        assert f"{end} {code}\n" in screen, screen
        return screen

    @property
    def everything(self) -> str:
        """All that was ever written to the terminal."""
        return self._seen.read_text("utf-8", "replace")

    def close(self) -> None:
        """Close the terminal, as its window's cross does, and all that runs in it."""
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, check=False)
        self._socket.unlink(missing_ok=True)

    def _wait(self, found: Callable[[str], bool], wanted: str, limit: float) -> str:
        until = time.monotonic() + limit
        while True:
            screen = self.screen
            if found(screen):
                return screen
            assert time.monotonic() < until, f"not seen: {wanted}\n{screen}"
            time.sleep(0.05)

    def _tmux(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        command = ["tmux", "-L", self._name, *arguments]
        given = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**given, **(environment or {})}
        )
        assert done.returncode == 0, (arguments[0], done.stderr)
        return done.stdout


@contextmanager
def terminal(folder: Path, *, columns: int = 120, rows: int = 40) -> Iterator[Terminal]:
    """A terminal; closed at the end with all that runs in it."""
    one = Terminal(folder, columns, rows)
    try:
        yield one
    finally:
        one.close()
