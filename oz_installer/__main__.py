"""``python -m oz_installer`` and the ``oz-install`` command."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn, TextIO

from oz_installer.errors import RERUN_HINT

STOPPED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    from oz_installer.console.signals import signals_as_interrupt

    try:
        with signals_as_interrupt():
            code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # while loading, or while telling how it ended
        code = STOPPED
        with suppress(OSError, ValueError):
            sys.stderr.write(f"stopped at your request\nhint: {RERUN_HINT}\n")
    leave(code)


def _run(argv: list[str]) -> int:
    """Without arguments straight to the wizard: its first frame does not wait for the command line."""
    if argv:
        from oz_installer.cli.main import run

        return run(argv)
    from oz_installer.cli.exit import RunOptions, run_guarded
    from oz_installer.cli.wizard import open_wizard

    return run_guarded(open_wizard, RunOptions())


def leave(code: int) -> NoReturn:
    """Exit with this code, even where who read our output is gone; 1 when output was lost otherwise."""
    lost = [error for error in map(_flush, (sys.stdout, sys.stderr)) if error is not None]
    if lost:
        code = code or 1
        with suppress(OSError, ValueError):
            sys.stderr.write(
                f"error: what was to be told is not all written: {lost[0].strerror}\n"
                "hint: Make room, or send the output elsewhere. `oz-install status` says what is done.\n"
            )
            sys.stderr.flush()
    if (
        code == STOPPED
    ):  # Python may end by SIGINT itself, for a KeyboardInterrupt that was dealt with in exec()
        os._exit(code)
    sys.exit(code)


def _flush(stream: TextIO) -> OSError | None:
    """Write what is left. What cannot be is dropped, else Python tries again, and exits with 120."""
    try:
        stream.flush()
    except (OSError, ValueError) as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error if isinstance(error, OSError) and not isinstance(error, BrokenPipeError) else None
    return None


if __name__ == "__main__":
    main()
